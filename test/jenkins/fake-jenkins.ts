/**
 * A fake: it plays the part of today's Jenkins that treeswap talks to, as its documentation and source describe it, for
 * what no server that can be had here does. Faults can be put before any request.
 */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { FakeItems } from './fake-items.js'
import type { Fault } from './fake-faults.js'
import { authorize } from './fake-login.js'
import type { FakeUser } from './fake-login.js'
import { answerRequest, page } from './fake-routes.js'

export interface FakeOptions {
  /** e.g. `/jenkins`; default: none */
  contextPath?: string
  /** who may log in; default: nobody needs to */
  users?: Record<string, FakeUser>
}

export interface Recorded {
  method: string
  /** with the query, as it was sent */
  url: string
  headers: IncomingMessage['headers']
  body: string
}

export class FakeJenkins {
  /** with a slash at its end */
  url = ''
  readonly items = new FakeItems()
  readonly requests: Recorded[] = []
  private readonly faults: { match: RegExp; fault: Fault; left: number }[] = []
  private readonly sockets = new Set<Socket>()
  private readonly answering = new Set<ServerResponse>()
  private readonly server = createServer((request, response) => {
    this.answer(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500)
      response.end(String(error))
    })
  })

  constructor(readonly options: FakeOptions = {}) {}

  static async start(options: FakeOptions = {}): Promise<FakeJenkins> {
    const fake = new FakeJenkins(options)
    fake.server.on('connection', (socket) => {
      fake.sockets.add(socket)
      socket.on('close', () => fake.sockets.delete(socket))
    })
    await new Promise<void>((resolve) => fake.server.listen(0, '127.0.0.1', resolve))
    const { port } = fake.server.address() as AddressInfo
    fake.url = `http://127.0.0.1:${port}${options.contextPath ?? ''}/`
    return fake
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise((resolve) => this.server.close(resolve))
  }

  /** Lets the next `times` requests whose method and path match (`GET /job/x`) meet a fault instead of an answer. */
  fail(match: RegExp, fault: Fault, times = 1): void {
    this.faults.push({ match, fault, left: times })
  }

  /** `METHOD /path` of all requests so far, without queries; forgets them. */
  takeRequests(): string[] {
    return this.requests.splice(0).map(({ method, url }) => `${method} ${url.replace(/\?.*/, '')}`)
  }

  /** Answers that neither ended nor lost their connection. */
  get openAnswers(): number {
    return this.answering.size
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.answering.add(response)
    response.on('close', () => this.answering.delete(response))
    const body = await bodyOf(request)
    const { method = '', url = '', headers } = request
    this.requests.push({ method, url, headers, body })
    response.setHeader('X-Jenkins', '2.516.1')
    const { contextPath = '', users } = this.options
    const serve = (): ServerResponse => {
      if (!url.startsWith(`${contextPath}/`)) return page(response, 404, 'Not Found')
      const asked = new URL(url.slice(contextPath.length), this.url)
      const refused = users === undefined ? undefined : authorize(users, request, asked.pathname, response)
      if (refused !== undefined) return page(response, refused.status, refused.reason, refused.headers)
      return answerRequest(this, { method, asked, headers, body }, response)
    }
    const line = `${method} ${url}`
    const planned = this.faults.find(({ match, left }) => left > 0 && match.test(line))
    if (planned === undefined) {
      serve()
      return
    }
    planned.left--
    planned.fault(request, response, serve)
  }
}

/** A fake for each test of a suite: `const fake = fakeJenkins()`. */
export function fakeJenkins(options: FakeOptions = {}): () => FakeJenkins {
  let fake: FakeJenkins | undefined
  beforeEach(async () => {
    fake = await FakeJenkins.start(options)
  })
  afterEach(() => fake?.stop())
  return () => {
    if (fake === undefined) throw new Error('it is there inside of tests')
    return fake
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}
