import type SftpClient from 'ssh2-sftp-client'
import type { UploadConfig } from '../config/uploads.js'
import type { Context } from '../model/report.js'
import { sleep } from '../system/clock.js'
import { openSocket } from '../system/socket.js'
import { connectionLost, explainConnect, noAnswer, wrongHostKey } from './connection-errors.js'
import { credentials } from './credentials.js'
import type { Credentials } from './credentials.js'
import { fingerprint, hostProof } from './host-trust.js'
import type { HostProof } from './host-trust.js'
import { openLine } from './line.js'
import { openRemote } from './remote.js'
import type { Remote } from './remote.js'

/** milliseconds to connect, and then again to agree on keys, log in and start SFTP */
const WITHIN = 20_000
/** milliseconds that a server may take to answer while requests wait for it: disks may be slow, but not that slow */
const SILENCE = 120_000

/** The requests of SFTP version 3, and extensions of it. */
export type Sftp = Awaited<ReturnType<SftpClient['connect']>>

/**
 * Logs in on a web host and does something with its files. The connection ends with that.
 * @param options silence: milliseconds after which a server that does not answer is given up
 * @throws UPLOAD_HOST_KEY, UPLOAD_KNOWN_HOSTS, UPLOAD_KEY_MISSING, UPLOAD_KEY_INVALID, UPLOAD_KEY_PASSPHRASE,
 * UPLOAD_KEY_REFUSED, UPLOAD_UNREACHABLE, UPLOAD_NO_SFTP, UPLOAD_LOST, ABORTED, and what `use` throws
 */
export async function connected<T>(
  config: UploadConfig,
  { signal }: Context,
  { silence = SILENCE }: { silence?: number | undefined },
  use: (remote: Remote) => Promise<T>,
): Promise<T> {
  const proof = hostProof(config)
  const access = credentials(config)
  const shown: string[] = []
  for (const algorithms of proof.tries) {
    const connection = await logIn(config, algorithms, proof, access, shown, signal)
    if (connection !== undefined) return await during(connection, config, silence, use)
  }
  throw wrongHostKey(config, [...new Set(shown)])
}

interface Connection {
  socket: Awaited<ReturnType<typeof openSocket>>
  client: SftpClient
  sftp: Sftp
}

/** @returns undefined where the host does not show the right key: then nothing was sent, not even a user's name */
async function logIn(
  config: UploadConfig,
  algorithms: string[],
  proof: HostProof,
  access: Credentials,
  shown: string[],
  signal: AbortSignal,
): Promise<Connection | undefined> {
  const { default: Client } = await import('ssh2-sftp-client')
  const { host, port, user } = config
  const seen: { refused: boolean; cause?: unknown } = { refused: false }
  const hostVerifier = (key: Buffer): boolean => {
    shown.push(fingerprint(key))
    seen.refused = !proof.accepts(key)
    return !seen.refused
  }
  try {
    const socket = await openSocket(host, port, { within: WITHIN, signal })
    const client = new Client('treeswap', { error: nothing, end: nothing, close: nothing })
    client.on('error', (error: unknown) => (seen.cause ??= error))
    const late = new AbortController()
    void sleep(2 * WITHIN, late.signal).then(() => late.signal.aborted || socket.destroy())
    try {
      const sftp = await client.connect({
        sock: socket,
        username: user,
        algorithms: { serverHostKey: algorithms as never[] },
        hostVerifier,
        readyTimeout: WITHIN,
        keepaliveInterval: 15_000,
        keepaliveCountMax: 4,
        ...access,
      })
      return { socket, client, sftp }
    } catch (error) {
      socket.destroy()
      throw error
    } finally {
      late.abort()
    }
  } catch (error) {
    const failure = explainConnect(seen.cause ?? error, config, signal)
    if (seen.refused || failure === undefined) return undefined
    throw failure
  }
}

async function during<T>(
  { socket, client, sftp }: Connection,
  config: UploadConfig,
  silence: number,
  use: (remote: Remote) => Promise<T>,
): Promise<T> {
  const line = openLine()
  const lose = (cause?: unknown): void => line.lose(connectionLost(config, cause))
  for (const event of ['error', 'end', 'close']) {
    socket.once(event, lose)
    client.on(event, lose)
    sftp.once(event, lose)
  }
  const over = new AbortController()
  void watch(over.signal, silence, () => {
    if (line.silentFor() < silence) return
    line.lose(noAnswer(config, silence))
    socket.destroy()
  })
  try {
    return await use(openRemote(sftp, line, config))
  } finally {
    over.abort()
    line.lose(connectionLost(config))
    await hangUp(client, socket)
  }
}

/** A host that is gone does not say goodbye. */
async function hangUp(client: SftpClient, socket: Connection['socket']): Promise<void> {
  const patience = new AbortController()
  await Promise.race([client.end().catch(nothing), sleep(2000, patience.signal)])
  patience.abort()
  socket.destroy()
}

async function watch(signal: AbortSignal, silence: number, look: () => void): Promise<void> {
  while (!signal.aborted) {
    await sleep(Math.min(silence / 4, 5000), signal)
    look()
  }
}

function nothing(): void {
  // what happens to a connection is told by the requests that fail
}
