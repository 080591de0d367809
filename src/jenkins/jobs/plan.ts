import { isDeepStrictEqual } from 'node:util'
import * as z from 'zod'
import { publishError } from '../../model/errors.js'
import type { Jenkins } from '../client.js'
import { readItem } from '../items.js'
import { jobPath } from '../job-name.js'
import { OWNED } from './model.js'
import type { FolderModel, JobList, JobModel } from './model.js'
import { parseJobXml } from './parse-xml.js'
import type { ParsedJob } from './parse-xml.js'

/** What has to be done so that Jenkins has the jobs of a list. */
export type Step = { /** full name */ job: string } & (
  | { kind: 'create-folder'; folder: Pick<FolderModel, 'description'> }
  | { kind: 'create'; model: JobModel }
  | { kind: 'update'; model: JobModel; changes: Change[] }
  /** no longer in the list */
  | { kind: 'disable' }
)

export interface Change {
  /** of JobModel, or `disabled`, `concurrent`, `definition`, `settings` */
  field: string
  /** as it is in Jenkins, and as it is to be */
  from: unknown
  to: unknown
}

export interface Plan {
  steps: Step[]
  /** full names of jobs that are as they should be */
  unchanged: string[]
  /** names, as in the list, of enabled jobs of ours that there are; undefined: not even the folder */
  before: string[] | undefined
}

const item = z.object({
  name: z.string(),
  description: z.string().nullish(),
  disabled: z.boolean().nullish(),
  color: z.string().nullish(),
})
const top = z.object({ jobs: z.array(item.extend({ jobs: z.array(item).nullish() })) })

interface Existing {
  /** relative to the list's folder */
  name: string
  owned: boolean
  disabled: boolean
}

/**
 * Compares the list with what Jenkins has; changes nothing.
 * @throws JOB_FOREIGN where a job that we did not make has the name of one of ours, and the errors of `Jenkins`
 */
export async function planJobs(jenkins: Jenkins, list: JobList): Promise<Plan> {
  const existing = await existingJobs(jenkins, list.folder)
  const steps: Step[] = await missingFolders(jenkins, list)
  const unchanged: string[] = []
  for (const model of list.jobs) {
    const job = `${list.folder}/${model.name}`
    const there = existing?.find(({ name }) => name === model.name)
    if (there === undefined) steps.push({ kind: 'create', job, model })
    else {
      if (!there.owned) throw foreign(job)
      const changes = compare(await parseJobXml((await readItem(jenkins, job)) ?? '', `config.xml of ${job}`), model)
      if (changes.length > 0) steps.push({ kind: 'update', job, model, changes })
      else unchanged.push(job)
    }
  }
  const wanted = new Set(list.jobs.map(({ name }) => name))
  const ours = (existing ?? []).filter(({ owned, disabled }) => owned && !disabled)
  const vanished = ours.filter(({ name }) => !wanted.has(name))
  steps.push(...vanished.map(({ name }) => ({ kind: 'disable' as const, job: `${list.folder}/${name}` })))
  return { steps, unchanged, before: existing && ours.map(({ name }) => name) }
}

/** undefined: there is no such folder */
async function existingJobs(jenkins: Jenkins, folder: string): Promise<Existing[] | undefined> {
  if (!(await jenkins.exists(jobPath(folder)))) return undefined
  const fields = 'name,description,disabled,color'
  const { jobs } = await jenkins.getJson(jobPath(folder), `jobs[${fields},jobs[${fields}]]`, top)
  const existing = ({ name, description, disabled, color }: z.infer<typeof item>, prefix: string): Existing => ({
    name: prefix + name,
    owned: description?.trimEnd().endsWith(OWNED) ?? false,
    disabled: disabled ?? color?.startsWith('disabled') ?? false,
  })
  return jobs.flatMap((one) =>
    one.jobs == null ? [existing(one, '')] : one.jobs.map((inner) => existing(inner, `${one.name}/`)),
  )
}

async function missingFolders(jenkins: Jenkins, { folder, folders }: JobList): Promise<Step[]> {
  const parts = folder.split('/')
  const wanted = [
    ...parts.map((_, index) => ({ job: parts.slice(0, index + 1).join('/'), folder: { description: '' } })),
    ...folders.map((one) => ({ job: `${folder}/${one.name}`, folder: one })),
  ]
  const steps: Step[] = []
  for (const { job, folder } of wanted) {
    if (!(await jenkins.exists(jobPath(job)))) steps.push({ kind: 'create-folder', job, folder })
  }
  return steps
}

const shown: Partial<Record<keyof ParsedJob, string>> = { foreign: 'definition', altered: 'settings' }

/** Differences between a job as it is and as it is to be. */
export function compare(parsed: ParsedJob, model: JobModel): Change[] {
  const wanted: ParsedJob = { ...model, disabled: false, concurrent: false, foreign: null, altered: null }
  return (Object.keys(parsed) as (keyof ParsedJob)[])
    .filter((field) => !isDeepStrictEqual(comparable(parsed[field]), comparable(wanted[field])))
    .map((field) => ({ field: shown[field] ?? field, from: parsed[field], to: wanted[field] }))
}

/** Line ends and blanks at the end do not survive every XML writer. */
function comparable(value: unknown): unknown {
  return typeof value === 'string' ? value.replace(/\r\n?/g, '\n').trimEnd() : value
}

function foreign(job: string): Error {
  return publishError(
    'JOB_FOREIGN',
    `Jenkins has a job ${job} that treeswap did not make`,
    `rename it or remove it; or let treeswap overwrite it by ending its description with: ${OWNED}`,
  )
}
