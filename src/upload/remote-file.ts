import type { Sftp } from './connection.js'
import type { Line } from './line.js'

export type Attributes = Parameters<Parameters<Sftp['stat']>[1]>[1]
type Handle = Parameters<Parameters<Sftp['open']>[2]>[1]

export type Content = AsyncIterable<Buffer> | Iterable<Buffer>

/** bytes of one request, and how many requests are under way for one file */
const PIECE = 32_768
const UNDER_WAY = 32

/**
 * Writes a file that must not be there yet, readable for everybody.
 * @param mtime seconds since 1970
 * @returns what the host says of it in the end
 */
export async function writeFile(
  sftp: Sftp,
  line: Line,
  path: string,
  content: Content,
  mtime: number,
): Promise<Attributes> {
  return await withHandle(sftp, line, path, 'wx', async (handle) => {
    await fill(sftp, line, handle, content)
    return await settle(sftp, line, handle, mtime)
  })
}

/** Undefined where it is larger than `limit` bytes. */
export async function readFile(sftp: Sftp, line: Line, path: string, limit: number): Promise<Buffer | undefined> {
  return await withHandle(sftp, line, path, 'r', async (handle) => {
    const { size } = await line.call<Attributes>((done) => sftp.fstat(handle, done))
    return size > limit ? undefined : await readUpTo(sftp, line, handle, size)
  })
}

/** The first bytes of a file, all of them where it has fewer. */
export async function readStart(sftp: Sftp, line: Line, path: string, bytes: number): Promise<Buffer> {
  return await withHandle(sftp, line, path, 'r', (handle) => readUpTo(sftp, line, handle, bytes))
}

/** Fewer bytes where the file ends before, whatever the host said of its size. */
async function readUpTo(sftp: Sftp, line: Line, handle: Handle, bytes: number): Promise<Buffer> {
  const content = Buffer.alloc(bytes)
  let at = 0
  while (at < bytes) {
    const length = Math.min(PIECE, bytes - at)
    const got = await line.call<number>((done) => sftp.read(handle, content, at, length, at, done))
    if (got === 0) break
    at += got
  }
  return content.subarray(0, at)
}

async function withHandle<T>(
  sftp: Sftp,
  line: Line,
  path: string,
  flags: 'r' | 'wx',
  use: (handle: Handle) => Promise<T>,
): Promise<T> {
  const handle = await line.call<Handle>((done) => sftp.open(path, flags, { mode: 0o644 }, done))
  const close = (): Promise<void> => line.call((done) => sftp.close(handle, done))
  let result: T
  try {
    result = await use(handle)
  } catch (error) {
    await close().catch(() => undefined)
    throw error
  }
  await close()
  return result
}

async function fill(sftp: Sftp, line: Line, handle: Handle, content: Content): Promise<void> {
  const underWay = new Set<Promise<void>>()
  const failures: unknown[] = []
  let offset = 0
  for await (const chunk of content) {
    for (let start = 0; start < chunk.length; start += PIECE) {
      const piece = chunk.subarray(start, start + PIECE)
      const at = offset
      const written: Promise<void> = line
        .call((done) => sftp.write(handle, piece, 0, piece.length, at, done))
        .catch((error: unknown) => void failures.push(error))
        .finally(() => underWay.delete(written))
      underWay.add(written)
      offset += piece.length
      if (underWay.size >= UNDER_WAY) await Promise.race(underWay)
      if (failures.length > 0) throw failures[0]
    }
  }
  await Promise.all(underWay)
  if (failures.length > 0) throw failures[0]
}

/** One after the other, none waited for. Not every host can set mode and times, or make a file durable. */
async function settle(sftp: Sftp, line: Line, handle: Handle, mtime: number): Promise<Attributes> {
  const attributes = { mode: 0o644, atime: mtime, mtime }
  const [, , status] = await Promise.all([
    line.call((done) => sftp.fsetstat(handle, attributes, done)).catch(() => undefined),
    line.call((done) => sftp.ext_openssh_fsync(handle, done)).catch(() => undefined),
    line.call<Attributes>((done) => sftp.fstat(handle, done)),
  ])
  return status
}
