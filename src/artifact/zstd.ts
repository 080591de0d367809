import { once } from 'node:events'
import { addAbortSignal, PassThrough } from 'node:stream'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { infrastructureError, TreeswapError } from '../model/errors.js'
import { runAny } from '../system/process.js'
import { together } from './together.js'

/** One thread: the bytes do not depend on how many processors there are. */
const COMPRESS = ['-3', '-T1', '-q', '-c']
const DECOMPRESS = ['-d', '-q', '-c']

/** A stream between two ends of a pipe that goes away when `signal` is aborted. */
export function channel(signal: AbortSignal): PassThrough {
  const stream = new PassThrough()
  stream.on('error', () => undefined)
  return addAbortSignal(signal, stream)
}

/** Writes and waits until the other end has room. */
export async function feed(stream: PassThrough, chunk: Buffer, signal: AbortSignal): Promise<void> {
  if (!stream.write(chunk)) await once(stream, 'drain', { signal })
}

/** Compresses `input` and hands the result to `take`, piece by piece. */
export async function compress(
  input: Readable | string,
  take: (chunk: Buffer) => void,
  signal: AbortSignal,
): Promise<void> {
  await together('zstd', signal, (own) => {
    const output = channel(own)
    return [runZstd(COMPRESS, input, output, own), forEachChunk(output, take)]
  })
}

/** Decompresses `input` and hands the result to `take`, piece by piece. */
export async function decompress(
  input: Readable | Uint8Array,
  take: (chunk: Buffer) => void,
  signal: AbortSignal,
): Promise<void> {
  await together('zstd', signal, (own) => {
    const output = channel(own)
    return [runZstd(DECOMPRESS, input, output, own), forEachChunk(output, take)]
  })
}

export async function forEachChunk(
  stream: AsyncIterable<Buffer>,
  take: (chunk: Buffer) => void | Promise<void>,
): Promise<void> {
  for await (const chunk of stream) await take(chunk)
}

/** Whether zstd refused what it was given: once the sums are checked, no further try will go better. */
export function isBroken(error: unknown): error is TreeswapError {
  return error instanceof TreeswapError && error.code === 'ZSTD_FAILED'
}

async function runZstd(
  args: string[],
  input: Readable | Uint8Array | string,
  output: PassThrough,
  signal: AbortSignal,
): Promise<void> {
  const { exitCode, stderr } = await runAny('zstd', args, { input, output, signal })
  if (exitCode !== 0) {
    throw infrastructureError(
      'ZSTD_FAILED',
      `zstd ended with exit code ${exitCode}: ${stderr.trim()}`,
      'see that there is memory and space left, then run the command again',
    )
  }
  await finished(output, { readable: false })
}
