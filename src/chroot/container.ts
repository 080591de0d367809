import { buildError, configurationError, infrastructureError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { type Child, startChild } from '../system/child.js'
import { sleep } from '../system/clock.js'
import { environment } from '../system/environment.js'
import { makeDirectory } from '../system/files.js'
import { aborted } from '../system/process.js'
import { readLines } from './lines.js'
import { containerCommand, type ContainerPlan } from './nspawn-command.js'

/** Of the output, kept for an error when the container could not be started. */
const LAST_LINES = 5
/** Milliseconds; a timer set for longer would fire at once. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * Runs one container to its end. When this returns or throws, all its processes and mounts are gone.
 * @param top the root's top directory
 * @returns the program's exit code
 * @param onLine where it returns a promise, no more output is read until that is settled
 * @throws ABORTED, LIMIT_TIME, BIND_MOVED, BIND_TARGET, CONTAINER_FAILED
 */
export async function runContainer(
  top: string,
  plan: ContainerPlan,
  context: Context,
  onLine: (line: string) => unknown,
): Promise<number> {
  const isAborted = (): boolean => context.signal.aborted
  if (isAborted()) throw aborted('the container')
  const { interactive, limits } = plan.request
  makeDirectory('/run/systemd/nspawn')
  const { file, args } = containerCommand(plan)
  const child = await startChild(file, args, {
    cwd: top,
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      ...(interactive && { TERM: environment().TERM ?? 'dumb' }),
    },
    input: interactive ? 'inherit' : 'ignore',
    output: interactive ? 'inherit' : 'pipe',
  })
  const lastLines: string[] = []
  const take = (line: string): unknown => {
    lastLines.push(line)
    if (lastLines.length > LAST_LINES) lastLines.shift()
    return onLine(line)
  }
  const told = readControl(child)
  const over = new AbortController()
  const stop = (): void => void killContainer(child, over.signal)
  context.signal.addEventListener('abort', stop)
  if (isAborted()) stop()
  const state = { late: false }
  const clock =
    limits.seconds === undefined
      ? undefined
      : sleep(Math.min(limits.seconds * 1000, LONGEST_TIMER), over.signal).then(() => {
          if (over.signal.aborted) return
          state.late = true
          stop()
        })
  try {
    await Promise.all([child.output, child.errors].map((stream) => readLines(stream, take)))
    await child.ended
  } catch (error) {
    stop()
    await child.ended
    throw error
  } finally {
    over.abort()
    context.signal.removeEventListener('abort', stop)
    await clock
  }
  const control = await told
  const code = exitCodeOf(control)
  if (state.late) throw tooLate(limits.seconds ?? 0)
  if (isAborted()) throw aborted('the container')
  const moved = /^moved (.*)$/m.exec(control)?.[1]
  if (moved !== undefined) throw bindMoved(moved)
  const linked = /^target (.*)$/m.exec(control)?.[1]
  if (linked !== undefined) throw bindTarget(linked)
  if (code === undefined) throw notStarted(lastLines)
  return code
}

/** Again and again, because the first process may not have been there the first time. */
async function killContainer(child: Child, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    child.killInside()
    await sleep(50, over)
  }
}

/** What the shell around the container tells; it says nothing any more when it was killed. */
async function readControl(child: Child): Promise<string> {
  let text = ''
  try {
    for await (const chunk of child.control) text += String(chunk)
  } catch {
    // a reset connection means the same as its end
  }
  return text
}

function exitCodeOf(control: string): number | undefined {
  const code = /^exit (\d+)$/m.exec(control)?.[1]
  return code === undefined ? undefined : Number(code)
}

function tooLate(seconds: number): Error {
  return buildError(
    'LIMIT_TIME',
    `the container was stopped: it took longer than its time limit of ${seconds} s`,
    'see in the log what it did last; raise the time limit if the work is as it should be',
  )
}

function bindMoved(path: string): Error {
  return configurationError(
    'BIND_MOVED',
    `${path} was moved or replaced while a container was being started with it`,
    'let nothing else work in the builder directory, then run the command again',
  )
}

function bindTarget(path: string): Error {
  return buildError(
    'BIND_TARGET',
    `nothing can be mounted at ${path} in the chroot: there is a link in this path, or no directory that lasts`,
    'make directories of the links (`treeswap chroot shell`), or make the chroot anew',
  )
}

function notStarted(lastLines: readonly string[]): Error {
  return infrastructureError(
    'CONTAINER_FAILED',
    `the container could not be started or died: ${lastLines.join(' | ') || 'it said nothing'}`,
    'run `treeswap doctor`: it says what this host lacks for systemd-nspawn and overlayfs; then look at dmesg',
  )
}
