import * as z from 'zod'
import { configurationError } from '../model/errors.js'
import { didYouMean } from '../model/names.js'

/** Version of request and result: another one is not read. */
const PROTOCOL = 1

/** Groovy's null, for an option that nobody gave, is as good as leaving it out. */
function optional<T extends z.ZodType>(type: T) {
  return type.nullish().transform((value) => value ?? undefined)
}

/** relative paths start at the working directory, which is the job's workspace */
const path = z
  .string()
  .min(1)
  .regex(/^[^\0]*$/)
const words = z.array(z.string())
const oneOrMore = z.union([
  z
    .string()
    .min(1)
    .transform((one) => [one]),
  words.min(1),
])

const common = {
  schema: z.literal(PROTOCOL),
  /** full name of the job */
  job: z.string().min(1),
  /** of the running build; Jenkins has it as text */
  number: z.union([z.int().positive(), z.string().regex(/^[1-9][0-9]{0,9}$/)]).transform(Number),
  /** default: that of the agent */
  config: optional(path),
}

const publication = {
  ...common,
  tree: z.string().min(1),
  /** what stands behind the @ of a reference; empty: the latest, and to roll back the one published before */
  reference: optional(z.string()),
  /** whether the publisher is asked over SSH */
  over: optional(z.boolean()),
}

const steps = [
  z.strictObject({
    ...common,
    step: z.literal('describe'),
    repo: optional(z.string()),
    machine: optional(z.string()),
    repos: optional(words),
  }),
  z.strictObject({ ...common, step: z.literal('snapshot'), repo: z.string(), directory: path }),
  z.strictObject({
    ...common,
    step: z.literal('build'),
    machine: z.string(),
    /** compared with those of the configuration */
    repos: optional(words),
    target: optional(oneOrMore),
    full: optional(z.boolean()),
    /** checkout of the profile repository */
    directory: path,
    junit: optional(z.boolean()),
  }),
  z.strictObject({
    ...common,
    step: z.literal('packages'),
    repo: z.string(),
    /** pkgbase of recipes to be built in any case */
    rebuild: optional(oneOrMore),
    full: optional(z.boolean()),
    junit: optional(z.boolean()),
  }),
  z.strictObject({ ...common, step: z.literal('poll'), repo: z.string() }),
  z.strictObject({
    ...publication,
    step: z.literal('publish'),
    /** `number` is to be published */ running: optional(z.boolean()),
  }),
  z.strictObject({ ...publication, step: z.literal('rollback') }),
  z.strictObject({ ...common, step: z.literal('render-jobs'), allowShrink: optional(z.boolean()) }),
  z.strictObject({ ...common, step: z.literal('report'), tree: optional(z.string()) }),
] as const

const request = z.discriminatedUnion('step', steps)

/** What a Jenkins step asks the runner for. */
export type StepRequest = z.infer<typeof request>
export type RequestOf<Step extends StepRequest['step']> = Extract<StepRequest, { step: Step }>

/** What the runner tells the step. */
export interface StepResult {
  schema: typeof PROTOCOL
  /** unstable: part of the work is done and may be published */
  status: 'ok' | 'unstable' | 'failed'
  /** of what failed: TreeswapError */
  category?: string
  code?: string
  message?: string
  hint?: string
  /** of the build, one line */
  description?: string
  /** patterns of files to archive, relative to the workspace */
  artifacts?: string[]
  /** file for the step `junit` */
  junit?: string
  /** what the step hands to its caller */
  values?: Record<string, unknown>
}

/** What a step that went well adds to its result; unstable: in part. */
export type StepOutcome = Omit<StepResult, 'schema' | 'status' | 'category' | 'code' | 'hint'> & {
  status?: 'unstable'
}

/** @throws STEP_REQUEST_INVALID, STEP_VERSION */
export function parseStepRequest(text: string): StepRequest {
  const data = parseJson(text)
  const version = isRecord(data) ? data.schema : undefined
  if (typeof version === 'number' && version !== PROTOCOL) {
    throw configurationError(
      'STEP_VERSION',
      `the library speaks version ${version} of the runner's requests, this runner version ${PROTOCOL}`,
      'install the runner that belongs to the library where TREESWAP_RUNNER says, or unset that variable: then the library brings its own',
    )
  }
  const result = request.safeParse(data)
  if (result.success) return result.data
  throw configurationError(
    'STEP_REQUEST_INVALID',
    result.error.issues.map((issue) => explain(issue, data)).join('; '),
    'mend the call in the job',
  )
}

function explain(issue: z.core.$ZodIssue, data: unknown): string {
  const step = isRecord(data) && typeof data.step === 'string' ? data.step : ''
  if (issue.code === 'unrecognized_keys') {
    const known = Object.keys(steps.find(({ shape }) => shape.step.value === step)?.shape ?? {})
    return issue.keys
      .map((key) => `the step ${step} has no ${key}: ${didYouMean(key, known) || known.join(', ')}`)
      .join('; ')
  }
  const name = issue.path.map(String).join('.')
  if (name === 'step') return `there is no step ${JSON.stringify(step)}: ${didYouMean(step, names())}`
  return name === '' ? 'the request is no JSON object' : `${name} of the step ${step}: ${issue.message}`
}

function names(): string[] {
  return steps.map(({ shape }) => shape.step.value)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
