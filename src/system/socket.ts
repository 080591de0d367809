import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { aborted } from './process.js'

/**
 * A TCP connection.
 * @param options within: milliseconds that it may take to connect; signal: gives up and, later, breaks the connection
 * @throws Error with the system's code (ECONNREFUSED, ENOTFOUND, …; ETIMEDOUT after `within`), ABORTED
 */
export async function openSocket(
  host: string,
  port: number,
  { within, signal }: { within: number; signal: AbortSignal },
): Promise<Socket> {
  if (signal.aborted) throw aborted(`the connection to ${host}`)
  const socket = connect({ host, port, noDelay: true })
  const stop = (): void => void socket.destroy(aborted(`the connection to ${host}`))
  signal.addEventListener('abort', stop)
  socket.once('close', () => signal.removeEventListener('abort', stop))
  await new Promise<void>((resolve, reject) => {
    const late = (): void => void socket.destroy(Object.assign(new Error('it does not answer'), { code: 'ETIMEDOUT' }))
    socket.setTimeout(within, late)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.removeListener('error', reject)
      socket.removeListener('timeout', late)
      socket.setTimeout(0)
      resolve()
    })
  })
  return socket
}
