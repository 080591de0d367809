import type { InferredOptionTypes, Options } from 'yargs'
import type { Context } from '../model/report.js'

/** Exit code of what was done in part: some recipes failed, the rest is there. */
export const UNSTABLE = 3

/** What a command came to. */
export interface Outcome {
  /** the one document that --json prints, without its "schema" */
  json: Record<string, unknown>
  /** what people read on standard output; without a line break at its end */
  text: string
  /** where the command did its work and what it found is bad; default 0 */
  exitCode?: number
}

export interface Invocation extends Context {
  /** whether --json was given: nothing but the document goes to standard output */
  json: boolean
  /** what follows a lone `--` */
  rest: string[]
}

type OptionTable = Record<string, Options>

interface CommandText {
  /** as typed: `publish`, `chroot create` */
  name: string
  /** one line, an order: "publish a build" */
  summary: string
  /** command line without the program's name → what it does */
  examples: Readonly<Record<string, string>>
}

/** One command of the command line; the parser, the help and the reference are made from it. */
export interface Command extends CommandText {
  positionals: OptionTable
  options: OptionTable
  run(args: Record<string, unknown>, invocation: Invocation): Promise<Outcome>
}

/** Ties the types of a command's arguments to its declaration. */
export function defineCommand<const P extends OptionTable, const O extends OptionTable>(
  command: CommandText & {
    positionals: P
    options: O
    run(args: InferredOptionTypes<P> & InferredOptionTypes<O>, invocation: Invocation): Promise<Outcome>
  },
): Command {
  return command
}
