import { execa } from 'execa'
import type { Readable, Writable } from 'node:stream'
import { infrastructureError, TreeswapError } from '../model/errors.js'

export interface RunOptions {
  cwd?: string
  /** the program's whole environment; default: this process's own */
  env?: Record<string, string>
  /** standard input: text, or a stream */
  input?: string | Uint8Array | Readable
  signal?: AbortSignal
  /** called with each line of output and of error output */
  onLine?: (line: string) => void
  /** called with each line of error output, while output becomes the result */
  onErrorLine?: (line: string) => void
  /** where the program's output goes instead of into the result */
  output?: Writable
  /** milliseconds between SIGTERM and SIGKILL after an abort; default 3000 */
  killAfter?: number
}

export interface Finished {
  exitCode: number
  stdout: string
  stderr: string
}

/**
 * Runs a program to its end, whatever its exit code. Never through a shell.
 * @throws PROGRAM_MISSING, PROGRAM_KILLED, ABORTED
 */
export async function runAny(file: string, args: readonly string[], options: RunOptions = {}): Promise<Finished> {
  const { cwd, env, input, signal, onLine, onErrorLine, output, killAfter = 3000 } = options
  const child = execa(file, [...args], {
    reject: false,
    stripFinalNewline: false,
    maxBuffer: 64 * 1024 * 1024,
    forceKillAfterDelay: killAfter,
    stdin: input === undefined ? 'ignore' : 'pipe',
    buffer: { stdout: output === undefined && onLine === undefined, stderr: (onLine ?? onErrorLine) === undefined },
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env, extendEnv: false }),
    ...(signal !== undefined && { cancelSignal: signal }),
    ...(typeof input === 'string' || input instanceof Uint8Array ? { input } : {}),
  })
  if (input !== undefined && typeof input !== 'string' && !(input instanceof Uint8Array)) {
    input.on('error', () => child.kill())
    child.stdin?.on('error', () => undefined)
    if (child.stdin) input.pipe(child.stdin)
  }
  if (output !== undefined) child.stdout.pipe(output)
  const lines = onLine
    ? forEachLine(child.stdout, child.stderr, onLine)
    : onErrorLine && splitLines(child.stderr, onErrorLine)
  const result = await child
  await lines
  if (result.isCanceled) throw aborted(file)
  if (result.exitCode === undefined) throw notRun(file, result)
  return { exitCode: result.exitCode, stdout: text(result.stdout), stderr: text(result.stderr) }
}

/**
 * Runs a program and returns its standard output.
 * @throws PROGRAM_FAILED with the end of what it wrote to standard error, and what runAny throws
 */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const { exitCode, stdout, stderr } = await runAny(file, args, options)
  if (exitCode === 0) return stdout
  throw infrastructureError(
    'PROGRAM_FAILED',
    `${file} ${args[0] ?? ''} ended with exit code ${exitCode}: ${stderr.trim().split('\n').slice(-5).join(' | ')}`,
    `run it by hand to see more: ${[file, ...args].join(' ')}`,
  )
}

export function aborted(what: string): TreeswapError {
  return new TreeswapError('ABORTED', `${what} was stopped on request`, {
    category: 'aborted',
    hint: 'nothing was published; run the command again when it suits you',
  })
}

async function forEachLine(stdout: Readable, stderr: Readable, onLine: (line: string) => void): Promise<void> {
  await Promise.all([stdout, stderr].map((stream) => splitLines(stream, onLine)))
}

/** Calls back with each line of a text, without its end. */
export async function splitLines(stream: Readable, onLine: (line: string) => void): Promise<void> {
  let rest = ''
  stream.setEncoding('utf8')
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split(/\r?\n/)
    rest = lines.pop() ?? ''
    lines.forEach(onLine)
  }
  if (rest !== '') onLine(rest)
}

function notRun(file: string, result: { signal?: string | undefined; cause?: unknown }): TreeswapError {
  if (result.signal !== undefined) {
    return infrastructureError(
      'PROGRAM_KILLED',
      `${file} was killed by ${result.signal}`,
      'look whether memory ran out (dmesg), then run the command again',
    )
  }
  return programMissing(file, result.cause)
}

export function programMissing(file: string, cause: unknown): TreeswapError {
  return infrastructureError(
    'PROGRAM_MISSING',
    `${file} could not be started`,
    'run `treeswap doctor`: it says what this host lacks and how to install it',
    cause,
  )
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
