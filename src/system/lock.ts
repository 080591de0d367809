import { spawn } from 'node:child_process'
import { dirname } from 'node:path'
import { infrastructureError } from '../model/errors.js'
import { makeDirectory } from './files.js'

export interface LockOptions {
  /** what is locked, for the error: "tree database" */
  what: string
  /** seconds to wait for another holder; default 0 */
  wait?: number
}

const BUSY = 9

/**
 * Runs `action` while holding an exclusive lock on `path`. The lock is held by a flock(1) child as long as our pipe
 * to it is open, so the kernel frees it when this process dies, however it dies: there are no stale locks.
 * @throws LOCKED when another process has it
 */
export async function withLock<T>(path: string, { what, wait = 0 }: LockOptions, action: () => Promise<T>): Promise<T> {
  makeDirectory(dirname(path))
  const holder = spawn(
    'flock',
    [
      '--exclusive',
      '--wait',
      String(wait),
      '--conflict-exit-code',
      String(BUSY),
      path,
      'sh',
      '-c',
      'echo held; exec cat',
    ],
    { stdio: ['pipe', 'pipe', 'ignore'], detached: true },
  )
  const ended = new Promise<number | null>((resolve, reject) => {
    holder.once('close', resolve)
    holder.once('error', reject)
  })
  const held = new Promise<'held'>((resolve) => holder.stdout.once('data', () => resolve('held')))
  const first = await Promise.race([held, ended])
  if (first !== 'held') {
    throw infrastructureError(
      'LOCKED',
      first === BUSY ? `${what} is in use by another treeswap process` : `${what} could not be locked (${path})`,
      first === BUSY
        ? `wait for it to end; \`fuser -v ${path}\` names the process`
        : 'see that the directory is writable and flock(1) is installed',
    )
  }
  try {
    return await action()
  } finally {
    holder.stdin.end()
    await ended
  }
}
