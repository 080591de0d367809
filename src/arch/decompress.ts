import type { PassThrough, Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { together } from '../artifact/together.js'
import { channel, decompress, forEachChunk } from '../artifact/zstd.js'
import { infrastructureError, TreeswapError } from '../model/errors.js'
import type { Compression } from '../model/pacman-package.js'
import { close, errorCode, open, read, readStream } from '../system/files.js'
import { runAny } from '../system/process.js'

/** How each kind of file begins (RFC 8878, the .xz file format, RFC 1952). */
const magics: [Compression, Buffer][] = [
  ['zst', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
  ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ['gz', Buffer.from([0x1f, 0x8b])],
]

/** By its first bytes, whatever it is called; undefined where it is none of these. */
export function compressionOf(path: string): Compression | undefined {
  const head = Buffer.alloc(8)
  const file = open(path, 'r')
  try {
    const length = read(file, head, 0, head.length, 0)
    return magics.find(([, magic]) => head.subarray(0, length).subarray(0, magic.length).equals(magic))?.[0]
  } finally {
    close(file)
  }
}

/**
 * Decompresses a file and hands the result to `take`, piece by piece.
 * @throws ZSTD_FAILED, XZ_FAILED, GZIP_FAILED where the file is damaged; what `take` throws
 */
export async function decompressFile(
  path: string,
  compression: Compression,
  take: (chunk: Buffer) => void,
  signal: AbortSignal,
): Promise<void> {
  const input = readStream(path, { highWaterMark: 2 ** 18 })
  let unreadable: unknown
  // also where nobody listens any more: work that is stopped does not wait until the file is open
  input.on('error', (error) => (unreadable = error))
  try {
    if (compression === 'zst') await decompress(input, take, signal)
    else {
      const start = compression === 'xz' ? unxz : gunzip
      await together(compression, signal, (own) => {
        const output = channel(own)
        return [start(input, output, own), forEachChunk(output, take)]
      })
    }
  } catch (error) {
    throw unreadable ?? error
  } finally {
    input.destroy()
  }
}

const damaged = new Set(['ZSTD_FAILED', 'XZ_FAILED', 'GZIP_FAILED'])

/** Whether a program refused what it was given. */
export function isDamaged(error: unknown): error is TreeswapError {
  return error instanceof TreeswapError && damaged.has(error.code)
}

async function unxz(input: Readable, output: PassThrough, signal: AbortSignal): Promise<void> {
  const args = ['-d', '-q', '-c', '--memlimit-decompress=1GiB']
  const { exitCode, stderr } = await runAny('xz', args, { input, output, signal })
  if (exitCode !== 0) throw failed('XZ_FAILED', `xz ended with exit code ${exitCode}: ${stderr.trim()}`)
  await finished(output, { readable: false })
}

async function gunzip(input: Readable, output: PassThrough, signal: AbortSignal): Promise<void> {
  try {
    await pipeline(input, createGunzip(), output, { signal })
  } catch (error) {
    if (!errorCode(error)?.startsWith('Z_')) throw error
    throw failed('GZIP_FAILED', 'gzip data is damaged or cut off', error)
  }
}

function failed(code: string, message: string, cause?: unknown): Error {
  return infrastructureError(
    code,
    message,
    'see that there is memory and space left, then run the command again',
    cause,
  )
}
