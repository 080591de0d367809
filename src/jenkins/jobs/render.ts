import type { Config } from '../../config/config.js'
import { configurationError } from '../../model/errors.js'
import { exists, readText, writeAtomically } from '../../system/files.js'
import { formatJobs, parseJobs } from './document.js'
import { jobsOf } from './model.js'
import type { JobList } from './model.js'
import { refuseShrunk } from './shrink.js'

export interface RenderOptions {
  /** where jobs.json goes; undefined: it is only checked and returned */
  out?: string
  /** jobs.json of before, which must be there; undefined: what `out` has, if anything */
  previous?: string
  /** take a list that is empty, or lacks more than half of the jobs of before */
  allowShrink?: boolean
}

export interface Rendered {
  list: JobList
  /** content of jobs.json */
  text: string
  /** number of jobs before; undefined: not known */
  before: number | undefined
}

/**
 * Turns the configuration into the list that jobs/seed.groovy reads.
 * @throws JENKINS_NOT_CONFIGURED, JOBS_INVALID, JOBS_EMPTY, JOBS_SHRUNK; then nothing was written
 */
export function renderJobs(config: Config, { out, previous, allowShrink = false }: RenderOptions): Rendered {
  const list = jobsOf(config)
  const text = formatJobs(list)
  const before = allowShrink ? undefined : namesBefore(out, previous)
  if (!allowShrink) refuseShrunk(list, before)
  if (out !== undefined) writeAtomically(out, text)
  return { list, text, before: before?.length }
}

function namesBefore(out: string | undefined, previous: string | undefined): string[] | undefined {
  const file = previous ?? out
  if (file === undefined) return undefined
  if (exists(file)) return parseJobs(readText(file), file).jobs.map(({ name }) => name)
  if (previous === undefined) return undefined
  throw configurationError(
    'JOBS_MISSING',
    `there is no ${previous} to compare with`,
    'name the list of the last run, or leave --previous away the first time',
  )
}
