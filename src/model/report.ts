/** How long work tells what it is doing. Implementations write to standard error only. */
export interface Report {
  /** a new step begins, e.g. "building world" */
  step(text: string): void
  /** how far the step is; total 0 where it is not known */
  progress(done: number, total: number): void
  /** one line of a running program's output */
  line(text: string): void
  /** something the reader should know, though the work goes on */
  warn(text: string): void
}

/** What every long operation gets: where to report, and when to stop. */
export interface Context {
  report: Report
  /** aborted on SIGTERM, SIGINT and at a time limit */
  signal: AbortSignal
}
