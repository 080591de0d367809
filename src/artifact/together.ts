import { aborted } from '../system/process.js'

/**
 * Runs the ends of a pipe side by side: when one fails, the others are told to stop, so that none waits for ever for
 * a partner that is gone. Ends when all have ended.
 * @param what in the error of an abort
 * @throws the first failure; ABORTED when `signal` was the cause
 */
export async function together(
  what: string,
  signal: AbortSignal,
  start: (signal: AbortSignal) => Promise<unknown>[],
): Promise<void> {
  const stopped = (): boolean => signal.aborted
  if (stopped()) throw aborted(what)
  const stop = new AbortController()
  const failures: unknown[] = []
  const tasks = start(AbortSignal.any([signal, stop.signal]))
  await Promise.all(
    tasks.map((task) =>
      task.catch((error: unknown) => {
        failures.push(error)
        stop.abort()
      }),
    ),
  )
  if (failures.length === 0) return
  throw stopped() ? aborted(what) : failures[0]
}
