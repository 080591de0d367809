import type { Report } from '../model/report.js'
import { ticks } from '../system/clock.js'

/** Milliseconds of silence after which a line is told all the same, as a sign of life. */
const SILENCE = 60_000

/**
 * Leaves out what programs print, but for a line now and then while nothing else is told.
 * @param clock milliseconds from an arbitrary point
 */
export function withoutOutput(report: Report, clock: () => number = ticks): Report {
  let last = clock()
  const telling =
    <A extends unknown[]>(tell: (...args: A) => void) =>
    (...args: A): void => {
      last = clock()
      tell(...args)
    }
  const line = telling((text: string) => report.line(text))
  return {
    step: telling((text: string) => report.step(text)),
    progress: (done, total) => report.progress(done, total),
    warn: telling((text: string) => report.warn(text)),
    line: (text) => {
      if (clock() - last >= SILENCE) line(text)
    },
  }
}
