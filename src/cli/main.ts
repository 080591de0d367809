import { constants } from 'node:os'
import { exitCodes } from '../model/errors.js'
import type { TreeswapError } from '../model/errors.js'
import { environment } from '../system/environment.js'
import { serveNewFiles } from '../system/files.js'
import { aborted } from '../system/process.js'
import type { Outcome } from './command.js'
import { commands } from './commands.js'
import { explainError } from './explain-error.js'
import { parseArguments } from './parse.js'
import { plainError } from './plain-error.js'
import { printableLines } from './printable.js'
import { openReport } from './report.js'

/**
 * Runs one command line.
 * @param argv without node and program
 * @returns the exit code
 */
export async function main(argv: readonly string[]): Promise<number> {
  // servers and the users of containers read what is made here, whatever the umask of the caller
  serveNewFiles()
  const stop = stopOnSignals()
  const report = openReport({ stream: process.stderr, colours: wantsColours() })
  let json = argv.includes('--json')
  try {
    const parsed = await parseArguments(argv, commands, helpWidth())
    if (parsed.kind === 'text') {
      print(parsed.text)
      return 0
    }
    json = parsed.json
    const invocation = { report, signal: stop.signal, json, rest: parsed.rest }
    const outcome = await parsed.command.run(parsed.args, invocation)
    report.close()
    show(outcome, json)
    return outcome.exitCode ?? 0
  } catch (caught) {
    report.close()
    const signalled = stop.exitCode()
    // after a signal every error is its consequence, whatever the program that was stopped made of it
    const error = signalled === undefined ? explainError(caught) : stopped(caught)
    showError(error, caught, json)
    return signalled ?? exitCodes[error.category]
  } finally {
    stop.release()
  }
}

function stopped(caught: unknown): TreeswapError {
  const error = explainError(caught)
  return error.category === 'aborted' ? error : aborted('treeswap')
}

function show({ json, text }: Outcome, asJson: boolean): void {
  if (asJson) print(JSON.stringify({ schema: 1, ...json }, undefined, 2))
  else if (text !== '') print(printableLines(text))
}

function showError(error: TreeswapError, caught: unknown, asJson: boolean): void {
  const { code, message, hint } = error
  if (asJson) print(JSON.stringify({ schema: 1, error: plainError(error) }, undefined, 2))
  else process.stderr.write(printableLines(`treeswap: ${message} [${code}]\n  ${hint.replaceAll('\n', '\n  ')}\n`))
  if (environment().TREESWAP_DEBUG === '1') process.stderr.write(stacks(caught))
}

function stacks(error: unknown): string {
  if (!(error instanceof Error)) return `${String(error)}\n`
  return `${error.stack ?? error.message}\n${error.cause === undefined ? '' : `caused by: ${stacks(error.cause)}`}`
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function helpWidth(): number {
  const { isTTY, columns } = process.stdout
  return isTTY ? Math.min(100, Math.max(40, columns || 80)) : 80
}

function wantsColours(): boolean {
  return process.stderr.isTTY && environment().NO_COLOR === undefined && environment().TERM !== 'dumb'
}

/** The first signal asks the work to end, a second one of the same kind ends the process at once. */
function stopOnSignals(): { signal: AbortSignal; exitCode(): number | undefined; release(): void } {
  const controller = new AbortController()
  let received: number | undefined
  const listeners = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((name) => {
    const listener = (): void => {
      const exitCode = 128 + constants.signals[name]
      if (received === exitCode) process.exit(exitCode)
      received = exitCode
      controller.abort()
    }
    process.on(name, listener)
    return () => process.off(name, listener)
  })
  // a reader that has seen enough (`| head`) is no fault
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 11))
  return {
    signal: controller.signal,
    exitCode: () => received,
    release: () => listeners.forEach((remove) => remove()),
  }
}
