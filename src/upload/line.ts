import { ticks } from '../system/clock.js'

/** Sends a request, and is told its answer. */
export type Send<T> = (done: (error?: Error | null, value?: T) => void) => void

/** Requests under way over one connection. */
export interface Line {
  /**
   * Sends one request, at once, so that several begun in a row arrive in that order.
   * @throws what it was answered with, or what the connection was lost by
   */
  call<T = void>(send: Send<T>): Promise<T>
  /** lets all requests fail, those of the future too; only the first reason counts */
  lose(reason: Error): void
  /** milliseconds for which requests have been waiting and no answer has come */
  silentFor(): number
}

export function openLine(): Line {
  const waiting = new Set<(reason: Error) => void>()
  let lost: Error | undefined
  let heard = 0
  return {
    call: <T>(send: Send<T>) =>
      new Promise<T>((resolve, reject) => {
        if (lost !== undefined) {
          reject(lost)
          return
        }
        if (waiting.size === 0) heard = ticks()
        waiting.add(reject)
        const done = (error?: Error | null, value?: T): void => {
          heard = ticks()
          waiting.delete(reject)
          if (error) reject(error)
          else resolve(value as T)
        }
        try {
          send(done)
        } catch (error) {
          done(error instanceof Error ? error : new Error(String(error)))
        }
      }),
    lose: (reason) => {
      if (lost !== undefined) return
      lost = reason
      for (const reject of waiting) reject(reason)
      waiting.clear()
    },
    silentFor: () => (waiting.size === 0 ? 0 : ticks() - heard),
  }
}
