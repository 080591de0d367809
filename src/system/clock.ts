/** Milliseconds since 1970, UTC. */
export function now(): number {
  return Date.now()
}

/** Milliseconds from an arbitrary point that no clock change moves: for durations. */
export function ticks(): number {
  return performance.now()
}

/** Waits; ends early, without an error, when `signal` is aborted. */
export async function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, milliseconds)
    function done(): void {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    signal?.addEventListener('abort', done)
  })
}

/** Lets timers, signals and input be served in the middle of synchronous work. */
export async function breathe(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve))
}
