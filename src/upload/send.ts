import { join } from 'node:path'
import { publishError } from '../model/errors.js'
import { readStream } from '../system/files.js'
import { sha256Sum } from '../system/hash.js'
import type { LocalFile } from './local-files.js'
import type { UploadedFile } from './manifest.js'
import { temporaryFor } from './paths.js'
import type { Remote } from './remote.js'

const READ_AT_A_TIME = 256 * 1024

/**
 * Writes a file under its temporary name, and compares its size there.
 * @param from the directory of the generation, here
 * @param to the directory there
 */
export async function sendFile(remote: Remote, from: string, to: string, file: LocalFile): Promise<UploadedFile> {
  const temporary = `${to}/${temporaryFor(file.path, remote.run)}`
  const sum = sha256Sum()
  try {
    const status = await remote.write(temporary, summed(join(from, file.path), sum), file.mtime)
    if (status.size !== file.size) throw notWhole(temporary, status.size, file.size)
    return { size: file.size, sha256: sum.digest('hex'), mtime: file.mtime, remoteMtime: status.mtime }
  } catch (error) {
    await remote.removeFile(temporary).catch(() => undefined)
    throw error
  }
}

async function* summed(path: string, sum: ReturnType<typeof sha256Sum>): AsyncGenerator<Buffer> {
  for await (const chunk of readStream(path, { highWaterMark: READ_AT_A_TIME })) {
    sum.update(chunk as Buffer)
    yield chunk as Buffer
  }
}

function notWhole(path: string, size: number, expected: number): Error {
  return publishError(
    'UPLOAD_FAILED',
    `${path} has ${size} bytes there instead of ${expected}`,
    'see that nobody else uploads to that directory, then run `treeswap upload` again',
  )
}
