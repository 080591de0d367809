import { infrastructureError, TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { explainDiskError } from '../system/files.js'

/** A part of a run that went wrong. */
export interface Failure {
  name: string
  status: 'failed'
  error: TreeswapError
}

/** A part of a run that was left out, because of what happened elsewhere or earlier. */
export interface Skipped {
  name: string
  status: 'skipped'
  /** ends the sentence "not built: …" */
  reason: string
  /** the ebuild repo whose failure it is, where it is one's */
  because?: string
}

/**
 * Does one part of a run; a failure is returned, so that the other parts are done too. Whoever gets the outcome tells
 * it in full.
 * @param what what is done, for errors that nobody foresaw: "updating overlay"
 * @throws ABORTED
 */
export async function attempt<T>(
  name: string,
  what: string,
  { report, signal }: Context,
  action: () => Promise<T>,
): Promise<T | Failure> {
  try {
    return await action()
  } catch (caught) {
    const error = coded(caught, what)
    if (signal.aborted || error.category === 'aborted') throw caught
    report.warn(`${name} failed [${error.code}]`)
    return { name, status: 'failed', error }
  }
}

function coded(caught: unknown, what: string): TreeswapError {
  const error = explainDiskError(caught, what)
  if (error instanceof TreeswapError) return error
  return infrastructureError(
    'UNEXPECTED',
    `${what} failed: ${error instanceof Error ? error.message : String(error)}`,
    'see what lies at the path that is named; if nothing explains it, run `treeswap doctor` and report it',
    caught,
  )
}
