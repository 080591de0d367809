import type { FileRecord } from '../model/build.js'
import type { Context } from '../model/report.js'
import { explainDiskError, readStream } from '../system/files.js'
import { HashedFile } from './hashed-file.js'
import { compress } from './zstd.js'

const LOG = 'build.log.zst'

/** Compresses a log file into an artifact. @throws DISK, ABORTED */
export async function keepLog(from: string, artifact: string, { signal }: Context): Promise<FileRecord> {
  const output = new HashedFile(`${artifact}/${LOG}`)
  try {
    await compress(readStream(from), (chunk) => output.write(chunk), signal)
  } catch (error) {
    output.close()
    throw explainDiskError(error, artifact)
  }
  return { file: LOG, ...output.close() }
}
