import type * as z from 'zod'
import { infrastructureError, TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { type Child, startChild } from '../system/child.js'
import { sleep } from '../system/clock.js'
import { aborted } from '../system/process.js'
import { version } from '../system/version.js'
import { readMessages, unreadable } from './messages.js'
import { notStarted, otherVersion } from './remote-errors.js'
import {
  type Answer,
  answers,
  hello,
  PROTOCOL,
  repliedError,
  reply,
  type Reply,
  type Request,
} from './remote-protocol.js'

/** Milliseconds for sudo and the program to begin. */
const STARTING = 30_000
/** Milliseconds after a request to stop, in which the program should have answered. */
const STOPPING = 4000
/** Milliseconds after the end of input. */
const LEAVING = 10_000

/** A conversation with one running root program. */
export interface Talk {
  /** the program's version */
  version: string
  /** Sends a request and waits for its answer; lines of output go to `onLine`, reports to the context. */
  ask<T extends Request['type']>(
    request: Extract<Request, { type: T }>,
    onLine?: (line: string) => unknown,
  ): Promise<Answer<T>>
  /** Ends the conversation: what runs is killed. */
  close(): Promise<void>
}

/**
 * Starts the root program and greets it.
 * @param through what makes it run as root: sudo
 * @throws ROOT_PROGRAM_REFUSED, ROOT_PROGRAM_MISSING, ROOT_PROGRAM_FAILED, ROOT_PROGRAM_VERSION, ABORTED, and what the
 * program finds wrong in its configuration
 */
export async function openTalk(
  program: readonly string[],
  through: readonly string[],
  { report, signal }: Context,
): Promise<Talk> {
  if (signal.aborted) throw aborted('the work in chroots')
  const [file = '', ...args] = [...through, ...program]
  const child = await startChild(file, args, { env, input: 'pipe', output: 'pipe' })
  child.control.destroy()
  const told = lastWords(child)
  const messages = readMessages(stream(child.output))
  const input = stream(child.input)
  // a broken pipe shows as the end of its output
  input.on('error', () => undefined)
  const send = (message: unknown): void => void input.write(`${JSON.stringify(message)}\n`)
  const over = new AbortController()
  let alive = true

  const stop = (): void => send({ type: 'abort' })
  const next = async (): Promise<unknown> => {
    const { done, value } = await messages.next()
    if (done !== true) return value
    alive = false
    await child.ended
    throw notStarted(program, await told)
  }
  const close = async (): Promise<void> => {
    alive = false
    over.abort()
    signal.removeEventListener('abort', stop)
    input.end()
    const ended = new AbortController()
    await Promise.race([child.ended.then(() => ended.abort()), sleep(LEAVING, ended.signal)])
    child.output?.destroy()
    child.errors?.destroy()
  }
  /** Where the program does not come to an end by itself, leaving it is what ends it. */
  const orLeave = async <T>(action: Promise<T>): Promise<T> => {
    const done = new AbortController()
    const gone = whenAborted(signal, done.signal).then(async () => {
      await sleep(STOPPING, done.signal)
      if (done.signal.aborted) return
      alive = false
      throw aborted('the work in chroots')
    })
    try {
      return await Promise.race([action, gone.then(() => action)])
    } finally {
      done.abort()
    }
  }

  const greet = async (): Promise<string> => {
    send({ type: 'hello', protocol: PROTOCOL, version: version() })
    const first = await Promise.race([next(), sleep(STARTING, over.signal)])
    const greeting = hello.safeParse(first)
    if (!greeting.success) {
      const answered = reply.safeParse(first)
      if (answered.data?.type === 'error') throw repliedError(answered.data)
      throw unreadable('it does not say hello')
    }
    if (greeting.data.protocol !== PROTOCOL) throw otherVersion(greeting.data, program)
    return greeting.data.version
  }
  let programVersion: string
  try {
    programVersion = await orLeave(greet())
  } catch (error) {
    void close()
    throw error
  }
  signal.addEventListener('abort', stop)
  if (isAborted(signal)) stop()

  return {
    version: programVersion,
    close,
    ask: async (request, onLine = () => undefined) => {
      if (!alive) throw isAborted(signal) ? aborted('the work in chroots') : notStarted(program, await told)
      const answerOf = async (): Promise<unknown> => {
        const refused: unknown[] = []
        for (;;) {
          const message = parseReply(await next())
          if (message.type === 'answer' && refused.length === 0) return message.value
          if (message.type === 'answer' || message.type === 'error')
            throw refused.length > 0 ? refused[0] : repliedError(message as Extract<Reply, { type: 'error' }>)
          if (message.type !== 'line') hand(message, report)
          else if (refused.length === 0) await handLine(message.text, onLine).catch((error: unknown) => refuse(error))
        }
        /** Output that cannot be taken stops the program, whose answer is waited for. */
        function refuse(error: unknown): void {
          refused.push(error)
          stop()
        }
      }
      send(request)
      try {
        return checked(
          answers[request.type] as z.ZodType as z.ZodType<Answer<typeof request.type>>,
          await orLeave(answerOf()),
        )
      } catch (error) {
        if (error instanceof TreeswapError && error.code === 'PROTOCOL') alive = false
        throw error
      }
    },
  }
}

/** sudo's messages are read by people who may not speak the host's language; the program takes nothing from here. */
const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }

function hand(message: Extract<Reply, { type: 'report' | 'progress' }>, report: Context['report']): void {
  if (message.type === 'progress') report.progress(message.done, message.total)
  else report[message.kind](message.text)
}

async function handLine(text: string, onLine: (line: string) => unknown): Promise<void> {
  await onLine(text)
}

function parseReply(data: unknown): Reply {
  const result = reply.safeParse(data)
  if (result.success) return result.data
  throw unreadable(result.error.issues[0]?.message ?? 'an unknown message')
}

function checked<T>(schema: z.ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  throw unreadable(`the answer is not as expected: ${result.error.issues[0]?.message ?? ''}`)
}

async function whenAborted(signal: AbortSignal, done: AbortSignal): Promise<void> {
  await new Promise<void>((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true, signal: done })
  })
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}

/** The end of what the program, or sudo before it, wrote to standard error. */
async function lastWords({ errors }: Child): Promise<string> {
  let words = ''
  try {
    for await (const chunk of errors ?? []) words = (words + String(chunk)).slice(-4000)
  } catch {
    // what was read until then has to do
  }
  return words.trim()
}

function stream<T>(pipe: T | null): T {
  if (pipe === null)
    throw infrastructureError('PROTOCOL', 'the root program has no pipe', 'this is a fault of treeswap')
  return pipe
}
