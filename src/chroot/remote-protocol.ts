import * as z from 'zod'
import { TreeswapError } from '../model/errors.js'
import { absolutePath, createRequest, runRequest } from './requests.js'

/**
 * What runner and root program say to each other: one JSON document a line, over the program's standard input and
 * output. The runner says hello, the program answers with its own hello; then one request is answered after the other.
 * Only `abort` and the end of input are heard while a request is worked on. Nothing is taken from the other side that
 * does not have exactly these shapes.
 */
export const PROTOCOL = 3

/** Bytes of one message, its line end included. */
export const LONGEST_MESSAGE = 4 * 1024 * 1024

const text = z.string().max(1024 * 1024)
const name = z.string().max(200)

/** Of any version: what is needed to see that two versions do not fit. */
export const hello = z.object({ type: z.literal('hello'), protocol: z.int(), version: z.string().max(100) })

export const request = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('list') }),
  z.strictObject({ type: z.literal('create'), request: createRequest }),
  z.strictObject({ type: z.literal('session'), chroot: name }),
  z.strictObject({ type: z.literal('scratch'), chroot: name }),
  // within a session
  z.strictObject({ type: z.literal('run'), request: runRequest }),
  z.strictObject({ type: z.literal('commit') }),
  z.strictObject({ type: z.literal('reclaim'), directory: absolutePath }),
  z.strictObject({ type: z.literal('end') }),
])

/** Said at any time after hello: everything that runs is to stop. What it stops answers ABORTED. */
export const abort = z.strictObject({ type: z.literal('abort') })

const chrootInfo = z.strictObject({
  name,
  uidBase: z.int().positive(),
  created: z.iso.datetime(),
  from: z.string().max(4096),
  layers: z.array(z.int().positive()),
})

/** What the value of an answer is, by request. */
export const answers = {
  list: z.strictObject({ chroots: z.array(chrootInfo), allowed: z.array(name) }),
  create: chrootInfo,
  session: z.strictObject({ uidBase: z.int().positive() }),
  scratch: z.strictObject({ uidBase: z.int().positive() }),
  run: z.strictObject({ exitCode: z.int() }),
  commit: z.null(),
  reclaim: z.null(),
  end: z.null(),
} as const

const error = z.strictObject({
  type: z.literal('error'),
  code: z.string().regex(/^[A-Z][A-Z0-9_]{0,60}$/),
  message: text,
  hint: text,
  category: z.enum(['configuration', 'infrastructure', 'build', 'publish', 'aborted']),
})

export const reply = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('answer'), value: z.unknown() }),
  error,
  z.strictObject({ type: z.literal('line'), text }),
  z.strictObject({ type: z.literal('report'), kind: z.enum(['step', 'warn', 'line']), text }),
  z.strictObject({ type: z.literal('progress'), done: z.number(), total: z.number() }),
])

export type Hello = z.infer<typeof hello>
export type Request = z.infer<typeof request>
export type Reply = z.infer<typeof reply>
export type Answer<T extends Request['type']> = z.infer<(typeof answers)[T]>

export function errorReply(error: TreeswapError): Reply {
  const { code, message, hint, category } = error
  return { type: 'error', code, message: message.slice(0, 100_000), hint: hint.slice(0, 100_000), category }
}

export function repliedError({ code, message, hint, category }: z.infer<typeof error>): TreeswapError {
  return new TreeswapError(code, message, { hint, category })
}
