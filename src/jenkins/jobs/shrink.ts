import { configurationError } from '../../model/errors.js'
import type { JobList } from './model.js'

/**
 * A list that lost its jobs by mistake must not disable those that are there.
 * @param before names of the jobs that there were; undefined: not known, or none yet
 * @throws JOBS_EMPTY, JOBS_SHRUNK
 */
export function refuseShrunk({ jobs }: JobList, before: readonly string[] | undefined): void {
  if (jobs.length === 0) {
    throw configurationError(
      'JOBS_EMPTY',
      'the configuration has neither repos, machines nor pacman repos, so every job would be disabled',
      'see that it is the right configuration; say --allow-shrink if all jobs are to go',
    )
  }
  if (before === undefined) return
  // another list of the same length is a loss as well
  const stay = before.filter((name) => jobs.some((job) => job.name === name)).length
  if (stay * 2 >= before.length) return
  throw configurationError(
    'JOBS_SHRUNK',
    `of ${before.length} jobs only ${stay} would stay: the others would be disabled`,
    'see that it is the right configuration; say --allow-shrink if they are to go',
  )
}
