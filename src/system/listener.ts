import { writeSync } from 'node:fs'
import { errorCode } from './files.js'

const EVERY = 1000

/**
 * Does something as long as somebody reads standard output. sshd does not signal a command when its connection is
 * gone, so a line break is written every second: the first that nobody takes aborts the work. Before a JSON document
 * they mean nothing. Standard error goes the same way: nobody reads it then either.
 * @param signal aborts the work, too
 */
export async function whileHeard<T>(signal: AbortSignal, action: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const gone = new AbortController()
  const stop = (): void => gone.abort()
  const timer = setInterval(() => {
    if (!isTaken('\n')) stop()
  }, EVERY)
  process.stderr.on('error', stop)
  try {
    return await action(AbortSignal.any([signal, gone.signal]))
  } finally {
    clearInterval(timer)
  }
}

function isTaken(text: string): boolean {
  try {
    writeSync(1, text)
    return true
  } catch (error) {
    // a reader that is slow is still there
    return errorCode(error) === 'EAGAIN'
  }
}
