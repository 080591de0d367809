import * as z from 'zod'
import { buildError, configurationError, infrastructureError } from '../model/errors.js'
import { didYouMean } from '../model/names.js'
import { sleep, ticks } from '../system/clock.js'
import { aborted } from '../system/process.js'
import { orMissing } from './client.js'
import type { Jenkins } from './client.js'
import { jobPath } from './job-name.js'

/** A request for a build that Jenkins has accepted. */
export interface Triggered {
  job: string
  /** undefined where the server names none (Hudson) */
  queueId: number | undefined
  /** the build that was wanted has this number or a higher one */
  atLeast: number
}

interface Waiting {
  /** milliseconds */
  timeout: number
  signal?: AbortSignal
  /** milliseconds between two questions; default 1000 */
  interval?: number
  /** told why it waits in the queue, whenever that changes */
  onWhy?: (why: string) => void
}

const definition = z.object({ name: z.string() })
const property = z.object({ parameterDefinitions: z.array(definition).nullish() })

/**
 * Asks for a build. Parameters that are not given have their default values.
 * @throws PARAMETER_UNKNOWN, which Jenkins itself would not mind; JENKINS_REFUSED where the job is disabled (409), and
 * what Jenkins' methods throw
 */
export async function trigger(
  jenkins: Jenkins,
  job: string,
  parameters: Readonly<Record<string, string>> = {},
): Promise<Triggered> {
  const path = jobPath(job)
  const schema = z.object({ nextBuildNumber: z.int().positive(), property: z.array(property.nullable()).default([]) })
  const tree = 'nextBuildNumber,property[parameterDefinitions[name]]'
  const { nextBuildNumber, property: properties } = await jenkins.getJson(path, tree, schema)
  const known = properties.flatMap((one) => one?.parameterDefinitions ?? []).map(({ name }) => name)
  const unknown = Object.keys(parameters).find((name) => !known.includes(name))
  if (unknown !== undefined) throw unknownParameter(job, unknown, known)
  const { location } = await jenkins.post(`${path}/${known.length === 0 ? 'build' : 'buildWithParameters'}`, parameters)
  const id = /\/queue\/item\/([0-9]{1,15})\/?$/.exec(location ?? '')?.[1]
  return { job, queueId: id === undefined ? undefined : Number(id), atLeast: nextBuildNumber }
}

/**
 * Waits until a build has begun.
 * @returns its number
 * @throws QUEUE_CANCELLED, QUEUE_TIMEOUT, and what Jenkins' methods throw
 */
export async function waitForStart(jenkins: Jenkins, triggered: Triggered, waiting: Waiting): Promise<number> {
  const { job, queueId, atLeast } = triggered
  let why = 'it was not started'
  return repeat(
    waiting,
    async () => {
      const item = queueId === undefined ? undefined : await readQueueItem(jenkins, queueId)
      if (item?.cancelled === true) {
        throw configurationError(
          'QUEUE_CANCELLED',
          `the build of ${job} was cancelled while it waited`,
          'start it again',
        )
      }
      if (item?.executable) return item.executable.number
      if (item?.why && item.why !== why) {
        why = item.why
        waiting.onWhy?.(why)
      }
      return item === undefined ? await findBuild(jenkins, job, queueId, atLeast) : undefined
    },
    () =>
      infrastructureError(
        'QUEUE_TIMEOUT',
        `no build of ${job} began in ${waiting.timeout / 1000} seconds: ${why.replace(/[\p{Cc}\s]+/gu, ' ')}`,
        'see the build queue of Jenkins, and whether an agent with the label of the job is there',
      ),
  )
}

/**
 * Waits until a build has ended.
 * @returns its result: SUCCESS, UNSTABLE, FAILURE, ABORTED or NOT_BUILT
 * @throws BUILD_TIMEOUT, and what Jenkins' methods throw
 */
export async function waitForEnd(jenkins: Jenkins, job: string, number: number, waiting: Waiting): Promise<string> {
  const schema = z.object({ building: z.boolean(), result: z.string().nullish() })
  return repeat(
    waiting,
    async () => {
      const { building, result } = await jenkins.getJson(`${jobPath(job)}/${number}`, 'building,result', schema)
      return building ? undefined : (result ?? undefined)
    },
    () =>
      buildError(
        'BUILD_TIMEOUT',
        `build ${number} of ${job} did not end in ${waiting.timeout / 1000} seconds`,
        'see its console output',
      ),
  )
}

function unknownParameter(job: string, name: string, known: readonly string[]): Error {
  return configurationError(
    'PARAMETER_UNKNOWN',
    `the job ${job} has no parameter ${JSON.stringify(name)}`,
    didYouMean(name, known) || (known.length === 0 ? 'it has none' : `it has ${known.join(', ')}`),
  )
}

/** undefined where Jenkins has forgotten it: five minutes after it left the queue */
function readQueueItem(jenkins: Jenkins, id: number) {
  const schema = z.object({
    cancelled: z.boolean().optional(),
    why: z.string().nullish(),
    executable: z.object({ number: z.int().positive() }).nullish(),
  })
  return orMissing(jenkins.getJson(`queue/item/${id}`, 'cancelled,why,executable[number]', schema))
}

async function findBuild(
  jenkins: Jenkins,
  job: string,
  queueId: number | undefined,
  atLeast: number,
): Promise<number | undefined> {
  const build = z.object({ number: z.int().positive(), queueId: z.int().optional() })
  const schema = z.object({ builds: z.array(build).default([]) })
  const { builds } = await jenkins.getJson(jobPath(job), 'builds[number,queueId]', schema)
  const numbers = builds
    .filter((one) => (queueId === undefined ? one.number >= atLeast : one.queueId === queueId))
    .map(({ number }) => number)
  return numbers.length === 0 ? undefined : Math.min(...numbers)
}

async function repeat<T>(
  { timeout, signal, interval = 1000 }: Waiting,
  ask: () => Promise<T | undefined>,
  late: () => Error,
): Promise<T> {
  const end = ticks() + timeout
  for (;;) {
    const answer = await ask()
    if (answer !== undefined) return answer
    if (ticks() > end) throw late()
    await sleep(interval, signal)
    if (signal?.aborted) throw aborted('waiting for Jenkins')
  }
}
