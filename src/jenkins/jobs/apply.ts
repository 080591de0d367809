import type { Report } from '../../model/report.js'
import type { Jenkins } from '../client.js'
import { createItem, updateItem } from '../items.js'
import { jobPath } from '../job-name.js'
import type { JobList } from './model.js'
import { planJobs } from './plan.js'
import type { Plan, Step } from './plan.js'
import { refuseShrunk } from './shrink.js'
import { folderXml, jobXml } from './xml.js'

/**
 * Makes, changes and disables jobs until Jenkins has those of the list, and says what was done. Nothing is deleted.
 * Every step can be repeated: after a failure in the middle, apply again.
 * @throws JOBS_EMPTY and JOBS_SHRUNK before anything is changed, unless `allowShrink`; JOB_FOREIGN; the errors of `Jenkins`
 */
export async function applyJobs(
  jenkins: Jenkins,
  list: JobList,
  { report, allowShrink = false }: { report: Report; allowShrink?: boolean },
): Promise<Plan> {
  const plan = await planJobs(jenkins, list)
  if (!allowShrink) refuseShrunk(list, plan.before)
  for (const step of plan.steps) {
    report.line(`${verbs[step.kind]} ${step.job}`)
    await take(jenkins, step)
  }
  return plan
}

const verbs: Record<Step['kind'], string> = {
  'create-folder': 'create folder',
  create: 'create',
  update: 'update',
  disable: 'disable',
}

async function take(jenkins: Jenkins, step: Step): Promise<void> {
  switch (step.kind) {
    case 'create-folder':
      return createItem(jenkins, step.job, folderXml(step.folder))
    case 'create':
      return createItem(jenkins, step.job, jobXml(step.model))
    case 'update':
      return updateItem(jenkins, step.job, jobXml(step.model))
    case 'disable':
      await jenkins.post(`${jobPath(step.job)}/disable`)
  }
}
