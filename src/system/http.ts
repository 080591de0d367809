import { aborted } from './process.js'

export interface HttpRequest {
  method: 'GET' | 'POST'
  headers: Record<string, string>
  body?: string
  /** milliseconds until the head of the answer is there */
  answerWithin: number
  /** milliseconds that the body may pause */
  idle: number
  signal?: AbortSignal | undefined
}

/** The head of an answer, with its body still to be read. */
export interface HttpAnswer {
  /** where it came from */
  url: URL
  status: number
  headers: Headers
  /** the body; leaving the loop closes the connection. @throws HttpFault, ABORTED */
  body: AsyncGenerator<Buffer, void>
  /** for those who do not read the body */
  close(): void
}

/** A request that got no whole answer. */
export class HttpFault extends Error {
  constructor(
    /** untrusted: the certificate was refused; unreachable: no connection, so nothing was sent */
    readonly kind: 'unreachable' | 'untrusted' | 'silent' | 'broken',
    message: string,
    cause?: unknown,
  ) {
    super(message, { cause })
  }
}

/**
 * One request on the built-in fetch. Redirects are answers like all others, and nothing is tried again.
 * @throws HttpFault, ABORTED
 */
export async function request(url: URL, options: HttpRequest): Promise<HttpAnswer> {
  const { method, body, signal } = options
  const controller = new AbortController()
  const stop = (): void => controller.abort()
  if (signal?.aborted) throw aborted(`${method} of ${placeOf(url)}`)
  signal?.addEventListener('abort', stop)
  const release = (): void => signal?.removeEventListener('abort', stop)
  try {
    // what is compressed on the way has another length than what arrives, and cannot be resumed
    const headers = { 'accept-encoding': 'identity', ...options.headers }
    const init = { method, headers, redirect: 'manual', signal: controller.signal, ...(body !== undefined && { body }) }
    const response = await within(options.answerWithin, stop, () => fetch(url, init as RequestInit))
    return {
      url,
      status: response.status,
      headers: response.headers,
      body: read(response, options, stop, release),
      close: () => {
        stop()
        release()
      },
    }
  } catch (error) {
    release()
    throw explained(error, url, signal)
  }
}

async function* read(
  response: Response,
  { idle, signal }: HttpRequest,
  stop: () => void,
  release: () => void,
): AsyncGenerator<Buffer, void> {
  const expected = lengthOf(response.headers)
  let received = 0
  try {
    const reader = response.body?.getReader() as ReadableStreamDefaultReader<Uint8Array> | undefined
    for (;;) {
      const piece = reader && (await within(idle, stop, () => reader.read()))
      if (piece === undefined || piece.done) break
      received += piece.value.byteLength
      yield Buffer.from(piece.value.buffer, piece.value.byteOffset, piece.value.byteLength)
    }
    if (expected !== undefined && received < expected) {
      throw new HttpFault('broken', `the connection ended after ${received} of ${expected} bytes`)
    }
  } catch (error) {
    throw explained(error, new URL(response.url), signal)
  } finally {
    stop()
    release()
  }
}

/** Bytes of the body, if that was announced. */
function lengthOf(headers: Headers): number | undefined {
  if (headers.get('content-encoding') !== null) return undefined
  const length = headers.get('content-length')
  return length !== null && /^[0-9]{1,15}$/.test(length) ? Number(length) : undefined
}

async function within<T>(milliseconds: number, stop: () => void, action: () => Promise<T>): Promise<T> {
  const state = { late: false }
  const timer = setTimeout(() => {
    state.late = true
    stop()
  }, milliseconds)
  try {
    return await action()
  } catch (error) {
    if (state.late) throw new HttpFault('silent', `nothing was heard for ${milliseconds / 1000} seconds`, error)
    throw error
  } finally {
    clearTimeout(timer)
  }
}

/** Codes of Node and undici with which no byte of a request has left. */
const unreachable = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

function explained(error: unknown, url: URL, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return aborted(`the request to ${placeOf(url)}`)
  if (error instanceof HttpFault) return error
  const cause = firstOf(error instanceof Error && error.cause !== undefined ? error.cause : error)
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : ''
  const message = cause instanceof Error ? cause.message : String(cause)
  // a connection that was used and lost its route ends with some of these codes, too
  const wasUsed = cause instanceof Error && 'syscall' in cause && ['read', 'write'].includes(String(cause.syscall))
  if (unreachable.has(code) && !wasUsed) return new HttpFault('unreachable', message, error)
  if (/CERT|SELF_SIGNED|UNABLE_TO_|_TLS_/.test(code)) return new HttpFault('untrusted', message, error)
  return new HttpFault('broken', message, error)
}

/** A host with several addresses fails once for each. */
function firstOf(error: unknown): unknown {
  return error instanceof AggregateError ? (error.errors[0] as unknown) : error
}

/** Without a query, which may hold secrets. */
function placeOf({ origin, pathname }: URL): string {
  return origin + pathname
}
