import { createConnection, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'

export interface CuttingProxy {
  url: string
  /** connections that were cut */
  cuts(): number
  stop(): Promise<void>
}

/**
 * Passes connections on to a server, and cuts the first `times` of them that an answer of more than `after` bytes comes
 * through.
 */
export async function startCuttingProxy(target: string, after: number, times: number): Promise<CuttingProxy> {
  const { hostname, port } = new URL(target)
  let cuts = 0
  const server = createServer((client) => {
    const upstream = createConnection({ host: hostname, port: Number(port) })
    let passed = 0
    client.pipe(upstream)
    upstream.on('data', (chunk: Buffer) => {
      passed += chunk.length
      if (passed > after && cuts < times) {
        cuts++
        client.write(chunk.subarray(0, chunk.length >> 1), () => client.resetAndDestroy())
        upstream.destroy()
      } else client.write(chunk)
    })
    upstream.on('end', () => client.end())
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on('error', () => other.destroy())
      one.on('close', () => other.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cuts: () => cuts,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
