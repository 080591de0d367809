import yargs from 'yargs'
import type { Argv, Options, PositionalOptions } from 'yargs'
import { didYouMean } from '../model/names.js'
import { version } from '../system/version.js'
import type { Command } from './command.js'
import { usageError } from './usage-error.js'

export type Parsed =
  | { kind: 'text'; text: string }
  | { kind: 'command'; command: Command; args: Record<string, unknown>; json: boolean; rest: string[] }

/** Commands that are more than one word: what the first word is about. */
const groups: Record<string, string> = {
  chroot: 'make, list, enter and remove the roots in which builds run',
  config: 'check the configuration; print that of servers and clients',
  jobs: 'make the jobs in Jenkins that the configuration asks for, and start them',
}

const common: Record<string, Options> = {
  json: { type: 'boolean', default: false, describe: 'print one JSON document' },
}

const strictParsing = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'greedy-arrays': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
  'populate--': true,
}

/**
 * Reads a command line (without node and program).
 * @param width columns of help texts
 * @throws USAGE
 */
export async function parseArguments(
  typed: readonly string[],
  commands: readonly Command[],
  width: number,
): Promise<Parsed> {
  const argv = asOption(typed, commands)
  let chosen: { command: Command; args: Record<string, unknown> } | undefined
  const parser = register(commands, width, (command, args) => {
    chosen = { command, args }
  })
  const { failure, output } = await new Promise<{ failure: string | undefined; output: string }>((resolve, reject) => {
    const parsed = parser.parse([...argv], {}, (error: Error | null | undefined, _args: unknown, text: string) => {
      resolve({ failure: error === null || error === undefined ? undefined : error.message, output: text })
    })
    Promise.resolve(parsed).catch(reject)
  })
  if (failure !== undefined) throw explain(failure, argv, commands)
  if (chosen === undefined) return { kind: 'text', text: output }
  const { command, args } = chosen
  refuseRepetition(command, args)
  const rest = Array.isArray(args['--']) ? args['--'].map(String) : []
  if (rest.length > 0 && !['chroot shell', 'chroot update'].includes(command.name)) {
    throw usageError(`treeswap ${command.name} takes nothing after --`, helpHint(command.name))
  }
  return { kind: 'command', command, args, json: args.json === true, rest }
}

function register(
  commands: readonly Command[],
  width: number,
  choose: (command: Command, args: Record<string, unknown>) => void,
): Argv {
  const parser = yargs()
    .scriptName('treeswap')
    .usage(
      'treeswap COMMAND\n\nBuilds packages in chroots and publishes them so that clients never meet a broken moment.',
    )
    .locale('en')
    .parserConfiguration(strictParsing)
    .version(version())
    .help()
    .alias('help', 'h')
    .alias('version', 'V')
    .exitProcess(false)
    .strict()
    .demandCommand(1, 1, 'no command was given')
    .wrap(width)
    .epilogue(
      'treeswap help COMMAND says more. Exit codes: 0 done, 3 in part, 10 configuration, 11 host, 12 build, 13 publish.',
    )
  for (const command of commands.filter(({ name }) => !name.includes(' '))) add(parser, command, choose)
  for (const [group, about] of Object.entries(groups)) {
    parser.command(group, about, (sub) => {
      sub
        .usage(`treeswap ${group} COMMAND\n\n${sentence(about)}`)
        .demandCommand(1, 1, 'no command was given')
        .version(false)
      for (const command of commands) if (command.name.startsWith(`${group} `)) add(sub, command, choose)
      return sub
    })
  }
  return parser
}

function add(parser: Argv, command: Command, choose: (command: Command, args: Record<string, unknown>) => void): void {
  const words = command.name.split(' ')
  const positionals = Object.entries(command.positionals)
  const usage = [words.at(-1), ...positionals.map(([name, options]) => placeholder(name, options))].join(' ')
  parser.command(
    usage,
    command.summary,
    (sub) => {
      const shown = positionals.map(([name, options]) => placeholder(name.toUpperCase(), options))
      sub.usage(`treeswap ${[command.name, ...shown].join(' ')} [OPTIONS]\n\n${sentence(command.summary)}`)
      for (const [name, options] of positionals) sub.positional(name, positionalOptions(options))
      for (const [name, options] of Object.entries({ ...command.options, ...common })) {
        sub.option(name, options.type === 'boolean' ? options : { ...options, requiresArg: true })
      }
      for (const [line, what] of Object.entries(command.examples)) sub.example(`treeswap ${line}`, what)
      return sub.epilogue('').version(false).demandCommand(0)
    },
    (args) => choose(command, args),
  )
}

/** Whether it is needed and how many there may be is said by the usage line already. */
function positionalOptions({ describe, choices }: Options): PositionalOptions {
  return {
    type: 'string',
    ...(describe !== undefined && { describe }),
    ...(choices !== undefined && { choices }),
  }
}

function placeholder(name: string, { demandOption, array }: Options): string {
  const text = array === true ? `${name}..` : name
  return demandOption === true ? `<${text}>` : `[${text}]`
}

function refuseRepetition(command: Command, args: Record<string, unknown>): void {
  for (const [name, { array }] of Object.entries({ ...command.positionals, ...command.options })) {
    const value = args[name]
    const values = Array.isArray(value) ? value : [value]
    if (values.includes('')) throw usageError(`${name} is empty`, helpHint(command.name))
    if (array !== true && Array.isArray(value)) {
      throw usageError(`--${name} was given more than once`, helpHint(command.name))
    }
  }
}

/** Turns a complaint of the parser into one that names what was meant. */
function explain(failure: string, argv: readonly string[], commands: readonly Command[]): Error {
  const command = commandOf(argv, commands)
  const choice = command === undefined ? undefined : badChoice(failure, command)
  if (choice !== undefined) return choice
  const unknown = /^Unknown (?:arguments?|commands?): (.*)$/.exec(failure)?.[1]?.split(', ')[0]
  if (unknown === undefined) return usageError(inWords(failure, command), helpHint(command?.name))
  const isOption = argv.some(
    (word) => word === `--${unknown}` || word.startsWith(`--${unknown}=`) || word === `-${unknown}`,
  )
  if (isOption) {
    const dashed = unknown.length === 1 ? `-${unknown}` : `--${unknown}`
    if (command === undefined && commands.some(({ options }) => unknown in { ...options, ...common })) {
      return usageError(`no command was given with ${dashed}`, helpHint())
    }
    const known = Object.keys({ ...command?.options, ...common, help: true, version: true })
    const near = didYouMean(
      dashed,
      known.map((name) => `--${name}`),
    )
    const program = command === undefined ? 'treeswap' : `treeswap ${command.name}`
    return usageError(`${program} has no option ${dashed}`, joinHints(near, command?.name))
  }
  if (command !== undefined) {
    return usageError(`treeswap ${command.name} does not expect ${JSON.stringify(unknown)}`, helpHint(command.name))
  }
  const group = Object.keys(groups).find((name) => argv.includes(name))
  return noSuchCommand(group === undefined ? unknown : `${group} ${unknown}`, group, commands)
}

function noSuchCommand(typed: string, group: string | undefined, commands: readonly Command[]): Error {
  const known = [...commands.map(({ name }) => name), ...Object.keys(groups), 'help']
  return usageError(`there is no command ${JSON.stringify(typed)}`, joinHints(didYouMean(typed, known), group))
}

/** `help COMMAND` is another way to write `COMMAND --help`. */
function asOption(argv: readonly string[], commands: readonly Command[]): string[] {
  const [first, ...words] = argv
  if (first !== 'help') return [...argv]
  const name = words.filter((word) => !word.startsWith('-')).join(' ')
  const known = ['', ...commands.map((command) => command.name), ...Object.keys(groups)]
  if (!known.includes(name)) throw noSuchCommand(name, undefined, commands)
  return [...words, '--help']
}

function badChoice(failure: string, { name, options }: Command): Error | undefined {
  const [, option = '', given = ''] =
    /^Invalid values:\s+Argument: (\S+), Given: "?(.*?)"?(?:, |$)/m.exec(failure) ?? []
  const choices = options[option]?.choices?.map(String)
  if (choices === undefined) return undefined
  return usageError(
    `--${option} cannot be ${JSON.stringify(given)}, only ${choices.join(', ')}`,
    joinHints(didYouMean(given, choices), name),
  )
}

/** yargs' own complaints, in the words of this command line. */
function inWords(failure: string, command: Command | undefined): string {
  const valueless = /^Not enough arguments following: (.*)$/.exec(failure)?.[1]
  if (valueless !== undefined) return `--${valueless} needs a value`
  const missing = /^Missing required arguments?: (.*)$/.exec(failure)?.[1]
  if (missing !== undefined) return `missing: --${missing.split(', ').join(', --')}`
  if (command !== undefined && failure.startsWith('Not enough non-option arguments')) {
    const needed = Object.keys(command.positionals).filter((name) => command.positionals[name]?.demandOption === true)
    return `missing: ${needed.map((name) => name.toUpperCase()).join(', ')}`
  }
  return failure.replaceAll('\n', ' ')
}

function commandOf(argv: readonly string[], commands: readonly Command[]): Command | undefined {
  const words = argv.filter((word) => !word.startsWith('-'))
  return commands.find(({ name }) => name === words[0] || name === words.slice(0, 2).join(' '))
}

function joinHints(near: string, name: string | undefined): string {
  return near === '' ? helpHint(name) : `${near} (${helpHint(name)})`
}

function helpHint(name?: string): string {
  return `see treeswap ${name === undefined ? '' : `${name} `}--help`
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`
}
