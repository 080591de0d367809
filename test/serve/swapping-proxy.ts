import { createServer, request } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** What passes every request on to a server, and can have something done while a client is in the middle. */
export interface SwappingProxy {
  /** paths that were asked for, and what was answered */
  readonly answered: [path: string, status: number][]
  /** Has it done before the next request for such a path is passed on. @returns when it was done */
  before(path: RegExp, action: () => Promise<unknown>): Promise<void>
  stop(): Promise<void>
}

/** @param to port of 127.0.0.1 */
export async function startProxy(port: number, to: number): Promise<SwappingProxy> {
  const answered: [string, number][] = []
  const waiting: { path: RegExp; act(): Promise<void> }[] = []
  const server = createServer((asked, answer) => {
    const path = asked.url ?? '/'
    const at = waiting.findIndex((one) => one.path.test(path))
    const [due] = at === -1 ? [] : waiting.splice(at, 1)
    void Promise.resolve(due?.act()).then(() => {
      passOn(asked, answer, to, (status) => answered.push([path, status]))
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  return {
    answered,
    before: (path, action) =>
      new Promise((resolve, reject) => {
        const act = (): Promise<void> =>
          action().then(
            () => {
              resolve()
            },
            (error: unknown) => {
              reject(error instanceof Error ? error : new Error(String(error)))
            },
          )
        waiting.push({ path, act })
      }),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve()
        })
        server.closeAllConnections()
      }),
  }
}

function passOn(asked: IncomingMessage, answer: ServerResponse, port: number, told: (status: number) => void): void {
  const { method, url, headers } = asked
  const passed = request({ host: '127.0.0.1', port, method, path: url, headers }, (given) => {
    const status = given.statusCode ?? 502
    told(status)
    answer.writeHead(status, given.headers)
    given.pipe(answer)
  })
  passed.once('error', () => answer.destroy())
  asked.pipe(passed)
}
