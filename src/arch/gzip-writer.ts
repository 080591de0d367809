import { buffer } from 'node:stream/consumers'
import { createGzip } from 'node:zlib'

/** Compresses what is written with gzip, piece by piece on a thread of its own, while the caller makes the next one. */
export class GzipWriter {
  private readonly gzip: ReturnType<typeof createGzip>
  private readonly result: Promise<Buffer>
  private piece: Buffer
  private at = 0
  /** bytes so far, uncompressed */
  length = 0

  /** @param size of a piece, in bytes: the result does not depend on it */
  constructor(private readonly size: number) {
    this.gzip = createGzip({ chunkSize: size })
    this.result = buffer(this.gzip)
    this.piece = Buffer.allocUnsafe(size)
  }

  /**
   * Copies `bytes`.
   * @returns whether a piece is full: it is compressed as soon as the caller lets others work
   */
  write(bytes: Buffer): boolean {
    let full = false
    for (let from = 0; from < bytes.length;) {
      const copied = bytes.copy(this.piece, this.at, from)
      from += copied
      this.at += copied
      if (this.at < this.size) continue
      this.gzip.write(this.piece)
      this.piece = Buffer.allocUnsafe(this.size)
      this.at = 0
      full = true
    }
    this.length += bytes.length
    return full
  }

  /** @returns all that was written, compressed; nothing may be written after that */
  end(): Promise<Buffer> {
    this.gzip.end(this.piece.subarray(0, this.at))
    return this.result
  }
}
