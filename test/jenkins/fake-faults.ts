import { gzipSync } from 'node:zlib'
import { ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'

/** What a request meets; `serve` gives the normal answer. */
export type Fault = (request: IncomingMessage, response: ServerResponse, serve: () => unknown) => unknown

/** The connection ends before anything was answered. */
export const drops: Fault = (request) => request.socket.destroy()

/** Nothing is ever answered. */
export const isSilent: Fault = () => undefined

/** An answer of its own. */
export function answers(status: number, headers: Record<string, string> = {}, body = ''): Fault {
  return (_, response) => response.writeHead(status, headers).end(body)
}

export function redirects(location: string, status = 302): Fault {
  return answers(status, { location })
}

/** What people are shown who are not logged in, or a proxy's own login. */
export function showsLogin(status: number): Fault {
  const body = '<html><head><title>Sign in</title></head><body><input type="password" name="j_password"></body></html>'
  return answers(status, { 'content-type': 'text/html;charset=utf-8' }, body)
}

/** Begins the normal answer, and breaks the connection after so many bytes of its body. */
export function breaksAfter(bytes: number): Fault {
  return cut(bytes, (response) => response.socket?.destroy())
}

/** Begins the normal answer, and then says nothing any more. */
export function stallsAfter(bytes: number): Fault {
  return cut(bytes, () => undefined)
}

/** Ends the body early as if it were complete: what a proxy that closes upstream connections makes of it. */
export function endsAfter(bytes: number): Fault {
  return (request, response, serve) => {
    unannounced(response)
    return cut(bytes, (cutOff) => cutOff.end())(request, response, serve)
  }
}

/** A body that never ends. */
export const neverEnds: Fault = (request, response, serve) => {
  unannounced(response)
  const more = (): void => {
    while (!response.destroyed && response.write(Buffer.alloc(2 ** 16, 'x'))) continue
  }
  response.on('drain', more)
  return cut(0, more)(request, response, serve)
}

/** Compresses, though it was asked not to. */
export const compresses: Fault = (_, response, serve) => {
  const end = response.end.bind(response)
  response.end = ((chunk: string | Buffer) => {
    response.removeHeader('content-length')
    return end(gzipSync(chunk))
  }) as typeof response.end
  response.setHeader('content-encoding', 'gzip')
  return serve()
}

function unannounced(response: ServerResponse): void {
  const write = response.writeHead.bind(response) as (status: number, headers: Record<string, string>) => ServerResponse
  response.writeHead = ((status: number, headers: Record<string, string> = {}) => {
    const left = Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'content-length')
    return write(status, Object.fromEntries(left))
  }) as typeof response.writeHead
}

/** Lets the first bytes of the normal body pass, and then does something else. */
function cut(bytes: number, then: (response: ServerResponse) => unknown): Fault {
  return (_, response, serve) => {
    const write = response.write.bind(response) as (chunk: Buffer) => boolean
    response.end = ((chunk: string | Buffer = '') => {
      response.end = ServerResponse.prototype.end.bind(response) as typeof response.end
      write(Buffer.from(chunk as string).subarray(0, bytes))
      setImmediate(() => then(response))
      return response
    }) as typeof response.end
    return serve()
  }
}
