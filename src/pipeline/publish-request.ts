import * as z from 'zod'
import { configurationError, exitCodes, infrastructureError, TreeswapError } from '../model/errors.js'
import type { Category } from '../model/errors.js'
import { validName } from '../model/names.js'
import { parseReference } from '../model/reference.js'
import type { Reference } from '../model/reference.js'

/** Version of the request and its answer. */
const PROTOCOL = 1

const request = z.strictObject({
  schema: z.literal(PROTOCOL),
  /** `publish` takes the build from the publisher's source first; `rollback` only what is in its store */
  action: z.enum(['publish', 'rollback']),
  tree: z.string(),
  build: z.int().min(1).max(9_999_999_999).optional(),
  /** what stands behind the @ of a reference; default: the latest, or for a rollback the one published before */
  reference: z.string().min(1).max(64).optional(),
  /** the build is the one that asks for this: it is still running, and has archived everything */
  running: z.boolean().optional(),
})

const count = z.int().nonnegative()

const done = z.object({
  tree: z.string(),
  build: z.int().positive(),
  /** of the generation */
  serial: z.int().positive(),
  already: z.boolean(),
  links: count,
  copies: count,
  removedGenerations: z.array(z.int()),
  signed: z
    .string()
    .regex(/^[0-9A-F]{40}$/)
    .exactOptional(),
  /** what a publish had to fetch first */
  pulled: z.object({ fetchedBytes: count, newObjects: count }).optional(),
})

const success = z.object({ schema: z.literal(PROTOCOL), done })

const failure = z.object({
  schema: z.literal(PROTOCOL),
  error: z.object({
    code: z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/),
    message: z.string().max(100_000),
    hint: z.string().max(100_000),
    category: z.enum(Object.keys(exitCodes) as [Category, ...Category[]]),
  }),
})

/** What a builder asks a publisher for. It never says where artifacts come from: that the publisher knows itself. */
export type PublishRequest = z.infer<typeof request>

/** What was published. */
export type PublishAnswer = z.infer<typeof done>

export function encodeRequest(request: Omit<PublishRequest, 'schema'>): string {
  return JSON.stringify({ schema: PROTOCOL, ...request })
}

/** The request for what a reference means. */
export function requestFor(
  action: PublishRequest['action'],
  { tree, build }: Reference,
): Omit<PublishRequest, 'schema'> {
  if (build === undefined) return { action, tree }
  if (build.kind === 'number') return { action, tree, build: build.number }
  return { action, tree, reference: build.kind === 'tag' ? build.tag : build.kind === 'previous' ? '-1' : build.kind }
}

/** @throws REQUEST_INVALID, REQUEST_TOO_NEW, NAME_INVALID, REFERENCE_INVALID */
export function parseRequest(text: string): { request: PublishRequest; reference: Reference } {
  const data = parseJson(text)
  if (data === undefined) throw invalidRequest('it is not JSON')
  if (versionOf(data) > PROTOCOL) {
    throw configurationError(
      'REQUEST_TOO_NEW',
      `the request was written by a newer treeswap (schema ${versionOf(data)}; this one reads ${PROTOCOL})`,
      'upgrade treeswap on the publisher',
    )
  }
  const result = request.safeParse(data)
  if (!result.success) throw invalidRequest(z.prettifyError(result.error).replaceAll('\n', ' '))
  const { action, tree, build, reference, running } = result.data
  if (build !== undefined && reference !== undefined) throw invalidRequest('build and reference exclude each other')
  if (running === true && (action !== 'publish' || build === undefined)) {
    throw invalidRequest('running goes with the number of a build to publish')
  }
  validName('tree', tree)
  const selector = build ?? reference
  const parsed = parseReference(selector === undefined ? tree : `${tree}@${selector}`)
  return { request: result.data, reference: parsed }
}

/**
 * @param host named in errors
 * @throws ANSWER_TOO_NEW, ANSWER_INVALID, and the publisher's own error with its code, category and hint
 */
export function parseAnswer(text: string, host: string): PublishAnswer {
  const data = parseJson(text)
  if (versionOf(data) > PROTOCOL) {
    throw configurationError(
      'ANSWER_TOO_NEW',
      `the publisher ${host} answers in a newer form (schema ${versionOf(data)}; this one reads ${PROTOCOL})`,
      'upgrade treeswap on the builder; it may have published: `treeswap status` there says',
    )
  }
  const failed = failure.safeParse(data)
  if (failed.success) {
    const { code, message, hint, category } = failed.data.error
    throw new TreeswapError(code, `the publisher ${host}: ${message}`, { hint, category })
  }
  const result = success.safeParse(data)
  if (result.success) return result.data.done
  throw infrastructureError(
    'ANSWER_INVALID',
    `the publisher ${host} does not answer as treeswap does: ${excerpt(text)}`,
    'see that the line in authorized_keys there begins with command="… publisher …", and that nothing (a login message, .bashrc) writes before it',
  )
}

/** The beginning of a text, on one line, for a message. */
export function excerpt(text: string): string {
  return JSON.stringify(text.trim().slice(0, 200))
}

function invalidRequest(why: string): Error {
  return configurationError(
    'REQUEST_INVALID',
    `this is no request to a publisher: ${why}`,
    'it is sent by `treeswap publish --over`, by `treeswap rollback --over` and by the Jenkins steps: see that both sides run the same version',
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function versionOf(data: unknown): number {
  const version = typeof data === 'object' && data !== null && 'schema' in data ? data.schema : undefined
  return typeof version === 'number' ? version : 0
}
