import * as z from 'zod'
import { configurationError } from '../../model/errors.js'
import type { JobList } from './model.js'

/** jobs.json: what `treeswap jobs render` writes and jobs/seed.groovy reads. */
const SCHEMA = 1

const name = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.+-]*(\/[A-Za-z0-9_][A-Za-z0-9_.+-]*)*$/)
const absolute = z.string().regex(/^(\/[A-Za-z0-9_][A-Za-z0-9_.+-]*)+$/)
const text = z.string().regex(/^[^\p{Cc}]*$/u)
const lines = z.string().regex(/^(?:[^\p{Cc}]|[\n\t])*$/u)
const count = z.int().min(0).max(1_000_000)

const parameter = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('string'), name, description: text, value: text }),
  z.strictObject({ kind: z.literal('choice'), name, description: text, choices: z.array(text).min(1) }),
])

const job = z.strictObject({
  name,
  description: lines,
  script: lines.min(1),
  poll: text.nullable(),
  // lists of before pacman repos have none
  timer: lines.nullable().default(null),
  upstream: z.array(absolute),
  quietSeconds: count,
  keepRecords: count.min(1),
  keepArtifacts: count.min(1),
  parameters: z.array(parameter),
})

const document = z
  .strictObject({
    schema: z.literal(SCHEMA),
    folder: name,
    folders: z.array(z.strictObject({ name, description: lines })),
    jobs: z.array(job),
  })
  .refine(({ jobs }) => new Set(jobs.map((one) => one.name)).size === jobs.length, 'two jobs have one name')

/**
 * The text of jobs.json.
 * @throws JOBS_INVALID where a name or text could not be one of Jenkins'
 */
export function formatJobs(list: JobList): string {
  return JSON.stringify(checked({ schema: SCHEMA, ...list }, 'the list of jobs'), undefined, 2) + '\n'
}

/**
 * @param file named in errors
 * @throws JOBS_INVALID
 */
export function parseJobs(content: string, file: string): JobList {
  let data: unknown
  try {
    data = JSON.parse(content)
  } catch (cause) {
    throw invalid(file, 'it is no JSON', cause)
  }
  const { folder, folders, jobs } = checked(data, file)
  return { folder, folders, jobs }
}

function checked(data: unknown, what: string): z.infer<typeof document> {
  const result = document.safeParse(data)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw invalid(what, `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? ''}`, result.error)
}

function invalid(what: string, why: string, cause: unknown): Error {
  return configurationError(
    'JOBS_INVALID',
    `${what} is no valid list of jobs: ${why}`,
    'write it with `treeswap jobs render`; a list that is damaged can be removed, it is made anew',
    cause,
  )
}
