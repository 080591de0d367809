import type { Readable, Writable } from 'node:stream'
import * as z from 'zod'
import { configurationError } from '../model/errors.js'
import { readMessages, unreadable } from './messages.js'
import { abort, hello, type Hello, type Reply, request, type Request } from './remote-protocol.js'

/** The root program's side of a conversation. */
export interface Conversation {
  /** The runner's hello; undefined where it is gone. */
  greeting(): Promise<Hello | undefined>
  /** The next request; undefined where the runner is gone. @throws REQUEST_INVALID, PROTOCOL */
  next(): Promise<Request | undefined>
  /** @returns where more should not be sent yet: settles when it may be */
  send(message: Reply | Hello): Promise<void> | undefined
  /** aborted when the runner says so, and when it is gone */
  signal: AbortSignal
  /** settles when the runner is gone: input ended, output broke, or `leave` was called */
  gone: Promise<void>
  leave(): void
  /** Ends the output, and waits until what was sent has gone out. */
  finish(): Promise<void>
}

export function converse({ input, output }: { input: Readable; output: Writable }): Conversation {
  const stop = new AbortController()
  const messages = new Mailbox()
  let leave = (): void => undefined
  const gone = new Promise<void>((resolve) => (leave = resolve)).then(() => {
    messages.close()
    stop.abort()
  })
  let drained: Promise<void> | undefined
  output.on('error', leave)
  output.on('close', leave)
  void listen(input, messages, stop).then(leave)
  return {
    greeting: async () => {
      const data = await messages.take()
      if (data === undefined) return undefined
      const result = hello.safeParse(data)
      if (result.success) return result.data
      throw unreadable('the runner does not say hello')
    },
    next: async () => {
      const data = await messages.take()
      return data === undefined ? undefined : parseRequest(data)
    },
    send: (message) => {
      if (output.destroyed || output.write(`${JSON.stringify(message)}\n`)) return undefined
      drained ??= new Promise<void>((resolve) => {
        output.once('drain', resolve)
        void gone.then(resolve)
      }).then(() => (drained = undefined))
      return drained
    },
    signal: stop.signal,
    gone,
    leave,
    finish: () => new Promise<void>((resolve) => void output.end(resolve)),
  }
}

/** Hands on what the runner says until it is gone; a request to stop is carried out at once. */
async function listen(input: Readable, messages: Mailbox, stop: AbortController): Promise<void> {
  try {
    for await (const data of readMessages(input)) {
      if (abort.safeParse(data).success) stop.abort()
      else if (!messages.put(data)) throw unreadable('a request came before the last one was answered')
    }
  } catch (error) {
    messages.fail(error)
    stop.abort()
    // it is told why before it is left
    await messages.taken()
  }
}

function parseRequest(data: unknown): Request {
  const result = request.safeParse(data)
  if (result.success) return result.data
  throw configurationError(
    'REQUEST_INVALID',
    `the request to the root program is not valid: ${z.prettifyError(result.error).slice(0, 2000)}`,
    'mend the value that is named; paths are absolute',
  )
}

/** Room for one message, which one reader waits for. */
class Mailbox {
  private content: { data?: unknown; error?: unknown } | undefined
  private closed = false
  private wake: () => void = () => undefined
  private emptied: () => void = () => undefined

  put(data: unknown): boolean {
    if (this.content !== undefined) return false
    this.content = { data }
    this.wake()
    return true
  }

  fail(error: unknown): void {
    this.content = { error }
    this.wake()
  }

  close(): void {
    this.closed = true
    this.wake()
  }

  /** Settles when nothing lies here. */
  async taken(): Promise<void> {
    if (this.content !== undefined) await new Promise<void>((resolve) => (this.emptied = resolve))
  }

  /** @returns undefined when it is closed */
  async take(): Promise<unknown> {
    while (this.content === undefined && !this.closed) await new Promise<void>((resolve) => (this.wake = resolve))
    const content = this.content
    this.content = undefined
    this.emptied()
    if (content !== undefined && 'error' in content) throw content.error
    return content?.data
  }
}
