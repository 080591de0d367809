import type { Context } from '../../src/model/report.js'

const nothing = (): void => undefined

/** A context that reports to nobody and is never stopped. */
export const silent: Context = {
  report: { step: nothing, progress: nothing, line: nothing, warn: nothing },
  signal: new AbortController().signal,
}
