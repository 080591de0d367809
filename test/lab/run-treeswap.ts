import { execa } from 'execa'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

export interface TreeswapRun {
  exitCode: number
  stdout: string
  /** lines of standard error: progress and messages */
  told: string[]
  /** the one document of --json */
  document(): unknown
}

export interface TreeswapOptions {
  /** where it runs: treeswap.yaml is looked for there */
  cwd?: string
  /** called with each line of progress */
  onLine?: (line: string) => void
  signal?: AbortSignal
  /** program and arguments under which it is run, such as strace */
  under?: readonly string[]
  /** another copy of the compiled program */
  program?: string
}

export const compiled = new URL('../../dist/treeswap.mjs', import.meta.url).pathname

/** Runs the compiled program as its users do: a process of its own, which ends when this one does. */
export async function runTreeswap(args: readonly string[], options: TreeswapOptions = {}): Promise<TreeswapRun> {
  const { under = [], program = compiled } = options
  const child = execa('setpriv', ['--pdeathsig', 'TERM', ...under, process.execPath, program, ...args], {
    reject: false,
    stdin: 'ignore',
    stripFinalNewline: false,
    maxBuffer: 64 * 1024 * 1024,
    forceKillAfterDelay: 10_000,
    buffer: { stderr: false },
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    ...(options.signal !== undefined && { cancelSignal: options.signal }),
  })
  const told: string[] = []
  const reading = forEachLine(child.stderr, (line) => {
    told.push(line)
    options.onLine?.(line)
  })
  const { exitCode, stdout } = await child
  await reading
  return { exitCode: exitCode ?? 1, stdout, told, document: () => parseDocument(args, stdout, told) }
}

async function forEachLine(stream: Readable, onLine: (line: string) => void): Promise<void> {
  for await (const line of createInterface({ input: stream })) onLine(line)
}

function parseDocument(args: readonly string[], stdout: string, told: string[]): unknown {
  try {
    return JSON.parse(stdout)
  } catch {
    throw new Error(`treeswap ${args.join(' ')} printed no JSON document: ${stdout.slice(0, 500)}${told.join('\n')}`)
  }
}
