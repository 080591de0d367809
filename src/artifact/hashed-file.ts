import { close, explainDiskError, open, writeAll } from '../system/files.js'
import { sha256Sum } from '../system/hash.js'

/** A new file whose size and sha256 are known when it is written. */
export class HashedFile {
  private readonly sum = sha256Sum()
  private readonly descriptor: number
  private size = 0

  constructor(private readonly path: string) {
    this.descriptor = open(path, 'wx', 0o644)
  }

  write(chunk: Buffer): void {
    try {
      writeAll(this.descriptor, chunk)
    } catch (error) {
      throw explainDiskError(error, this.path)
    }
    this.sum.update(chunk)
    this.size += chunk.length
  }

  /** To be called once, whether writing went well or not. */
  close(): { size: number; sha256: string } {
    close(this.descriptor)
    return { size: this.size, sha256: this.sum.digest('hex') }
  }
}
