import { configurationError } from '../../model/errors.js'
import type { JobList } from './model.js'

/**
 * A list that lost its jobs by mistake must not disable those that are there.
 * @param before number of jobs that there were; undefined: not known, or none yet
 * @throws JOBS_EMPTY, JOBS_SHRUNK
 */
export function refuseShrunk({ jobs }: JobList, before: number | undefined): void {
  if (jobs.length === 0) {
    throw configurationError(
      'JOBS_EMPTY',
      'the configuration has neither repos nor machines, so every job would be disabled',
      'see that it is the right configuration; say --allow-shrink if all jobs are to go',
    )
  }
  if (before === undefined || jobs.length * 2 >= before) return
  throw configurationError(
    'JOBS_SHRUNK',
    `of ${before} jobs only ${jobs.length} would stay: the others would be disabled`,
    'see that it is the right configuration; say --allow-shrink if they are to go',
  )
}
