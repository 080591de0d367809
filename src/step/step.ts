import { resolve } from 'node:path'
import type { Config } from '../config/config.js'
import { renderJobs } from '../jenkins/jobs/render.js'
import { configurationError } from '../model/errors.js'
import { count } from '../model/quantity.js'
import type { Context } from '../model/report.js'
import { buildStep } from './build.js'
import { describeSource } from './describe.js'
import { packagesStep } from './packages.js'
import { pollStep } from './poll.js'
import { publishStep } from './publish.js'
import { reportStep } from './report.js'
import type { RequestOf, StepOutcome, StepRequest } from './request.js'
import { snapshotStep } from './snapshot.js'

/**
 * What a Jenkins step asked for: the use-cases of the commands, with the places that a job has.
 * @throws JOBS_FOLDER, and what the use-cases throw; StepFailure where there is something to archive all the same
 */
export async function runStep(config: Config, request: StepRequest, context: Context): Promise<StepOutcome> {
  switch (request.step) {
    case 'describe':
      return describeSource(config, request, context)
    case 'snapshot':
      return snapshotStep(config, request, context)
    case 'build':
      return buildStep(config, request, context)
    case 'packages':
      return packagesStep(config, request, context)
    case 'poll':
      return pollStep(config, request, context)
    case 'publish':
    case 'rollback':
      return publishStep(config, request, context)
    case 'render-jobs':
      return renderStep(config, request)
    case 'report':
      return reportStep(config, request)
  }
}

const JOBS = 'jobs.json'

function renderStep(config: Config, { job, allowShrink }: RequestOf<'render-jobs'>): StepOutcome {
  requireFolder(config, job)
  const { list } = renderJobs(config, { out: resolve(JOBS), ...(allowShrink !== undefined && { allowShrink }) })
  return { description: count(list.jobs.length, 'job'), artifacts: [JOBS], values: { jobs: list.jobs.length } }
}

/** Job DSL makes jobs beside the one that runs, and they start each other by names in the configured folder. */
function requireFolder({ jenkins, file }: Config, job: string): void {
  const folder = job.slice(0, Math.max(0, job.lastIndexOf('/')))
  if (jenkins === undefined || folder === jenkins.folder) return
  throw configurationError(
    'JOBS_FOLDER',
    `the job ${job} would make its jobs in ${folder === '' ? 'no folder' : folder}, but ${file} says that they are in ${jenkins.folder}`,
    `move this job to ${jenkins.folder}/${job.slice(job.lastIndexOf('/') + 1)}` +
      (folder === '' ? '' : `, or write jenkins: { folder: ${folder} }`),
  )
}
