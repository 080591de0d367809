import { createConnection, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

export interface Cut {
  port: number
  /** bytes that passed in the direction that is counted, over all connections */
  passed(): number
  stop(): Promise<void>
}

/**
 * Passes TCP connections on to a port of 127.0.0.1, and breaks each off when exactly `after` bytes have come through.
 * @param direction which bytes count: requests or answers
 */
export async function startCut(target: number, after: number, direction: 'requests' | 'answers'): Promise<Cut> {
  const sockets = new Set<Socket>()
  let all = 0
  const server = createServer((client) => {
    const upstream = createConnection({ host: '127.0.0.1', port: target })
    const [from, to] = direction === 'requests' ? [client, upstream] : [upstream, client]
    let passed = 0
    from.on('data', (chunk: Buffer) => {
      const rest = chunk.subarray(0, after - passed)
      passed += rest.length
      all += rest.length
      to.write(rest)
      if (passed < after) return
      // the last bytes arrive, as they do before a cable is pulled
      to.end()
      from.destroy()
    })
    to.on('data', (chunk: Buffer) => from.writable && from.write(chunk))
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one)
      one.on('error', () => other.destroy())
      one.on('close', () => {
        sockets.delete(one)
        other.destroySoon()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    passed: () => all,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
