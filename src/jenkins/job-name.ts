import { configurationError } from '../model/errors.js'

/** What hudson.model.Jenkins.checkGoodName refuses; "%" stays: branches of multibranch jobs are called so. */
const FORBIDDEN = /[?*\\!@#$^&|<>[\]:;\p{Cc}]/u

/**
 * Reads the full name of a job, `folder/job`.
 * @returns it without slashes at its ends
 * @throws JOB_INVALID
 */
export function validJob(text: string): string {
  const segments = text.replace(/^\/+|\/+$/g, '').split('/')
  const good = segments.every((segment) => isSegment(segment))
  if (good && text.length <= 1000) return segments.join('/')
  throw configurationError(
    'JOB_INVALID',
    `${JSON.stringify(text.slice(0, 100))} cannot be the full name of a Jenkins job`,
    'write it with the folders it lies in, as Jenkins shows it under "Full project name": treeswap/machines/database',
  )
}

/** `a/b` → `job/a/job/b`, relative to the base URL. @throws JOB_INVALID */
export function jobPath(job: string): string {
  return validJob(job)
    .split('/')
    .map((segment) => `job/${encodeURIComponent(segment)}`)
    .join('/')
}

/** The folder of a job and its own name; '' is the top. @throws JOB_INVALID */
export function splitJob(job: string): { folder: string; name: string } {
  const segments = validJob(job).split('/')
  return { folder: segments.slice(0, -1).join('/'), name: segments.at(-1) ?? '' }
}

function isSegment(segment: string): boolean {
  return segment.trim() === segment && !['', '.', '..'].includes(segment) && !FORBIDDEN.test(segment)
}
