import { spawn } from 'node:child_process'
import type { ChildProcessByStdio } from 'node:child_process'
import { dirname } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { infrastructureError } from '../model/errors.js'
import { makeDirectory } from './files.js'
import { aborted, programMissing } from './process.js'

export interface LockOptions {
  /** what is locked, for the error: "tree database" */
  what: string
  /** seconds to wait for another holder; default 0 */
  wait?: number
  /** others may hold it as well, as long as nobody has it alone; default false */
  shared?: boolean
  /** ends the wait; what is done under the lock has to listen itself */
  signal?: AbortSignal
}

type Holder = ChildProcessByStdio<Writable, Readable, null>

const BUSY = 9

/**
 * Runs `action` while holding a lock on `path`, exclusive unless `shared`. The lock is held by a flock(1) child as long
 * as our pipe to it is open, so the kernel frees it when this process dies, however it dies: there are no stale locks.
 * @throws LOCKED when another process has it, ABORTED, PROGRAM_MISSING, LOCK_LOST when the child was killed meanwhile
 */
export async function withLock<T>(path: string, options: LockOptions, action: () => Promise<T>): Promise<T> {
  const done = await tryLock(path, options, action)
  if (done !== undefined) return done.value
  throw inUse(path, options.what)
}

/**
 * Like withLock, for those who have another plan where the lock is not to be had.
 * @returns undefined when another process has it; nothing was done then
 * @throws LOCKED when it cannot be made, ABORTED, PROGRAM_MISSING, LOCK_LOST
 */
export async function tryLock<T>(
  path: string,
  options: LockOptions,
  action: () => Promise<T>,
): Promise<{ value: T } | undefined> {
  const { what, signal } = options
  const refuseIfStopped = (): void => {
    if (signal?.aborted === true) throw aborted(`the wait for ${what}`)
  }
  refuseIfStopped()
  makeDirectory(dirname(path))
  const holder = startHolder(path, options)
  const ended = new Promise<number | null>((resolve, reject) => {
    holder.once('close', resolve)
    holder.once('error', (cause) => reject(programMissing('flock', cause)))
  })
  const held = new Promise<'held'>((resolve) => holder.stdout.once('data', () => resolve('held')))
  const stop = (): void => void holder.kill()
  signal?.addEventListener('abort', stop)
  const first = await Promise.race([held, ended]).finally(() => signal?.removeEventListener('abort', stop))
  if (first !== 'held') {
    refuseIfStopped()
    if (first === BUSY) return undefined
    throw notLocked(path, what)
  }
  return { value: await holding(holder, ended, what, action) }
}

function startHolder(path: string, { wait = 0, shared = false }: LockOptions): Holder {
  const patience = ['--wait', String(wait), '--conflict-exit-code', String(BUSY)]
  return spawn('flock', [shared ? '--shared' : '--exclusive', ...patience, path, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  })
}

async function holding<T>(
  holder: Holder,
  ended: Promise<number | null>,
  what: string,
  action: () => Promise<T>,
): Promise<T> {
  holder.stdin.on('error', () => undefined)
  let result: T
  try {
    result = await action()
  } finally {
    holder.stdin.end()
    await ended
  }
  if ((await ended) === 0) return result
  throw infrastructureError(
    'LOCK_LOST',
    `the lock on ${what} was lost: the flock process that held it was killed`,
    'another process may have worked on the same: look whether memory ran out (dmesg), then run `treeswap check`',
  )
}

function inUse(path: string, what: string): Error {
  return infrastructureError(
    'LOCKED',
    `${what} is in use by another treeswap process`,
    `wait for it to end; \`fuser -v ${path}\` names the process`,
  )
}

function notLocked(path: string, what: string): Error {
  return infrastructureError('LOCKED', `${what} could not be locked (${path})`, 'see that the directory is writable')
}
