const MAGIC = 0xfd2fb528
const RESERVED = 3
const RLE = 1

/**
 * Follows a zstd stream and says whether it is exactly one frame (RFC 8878, section 3.1.1): nothing in front of it,
 * no second one, no skippable one, nothing behind. It reads the lengths only; zstd itself checks the content.
 */
export class SingleFrame {
  private wanted = 5
  private held = Buffer.alloc(0)
  private skip = 0
  private checksum = 0
  private state: 'header' | 'block' | 'end' = 'header'
  private last = false

  constructor(private readonly refuse: (rule: string) => Error) {}

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      if (this.skip > 0) {
        const skipped = Math.min(this.skip, chunk.length - at)
        this.skip -= skipped
        at += skipped
        continue
      }
      if (this.state === 'block' && this.last) this.finishBlocks()
      if (this.skip > 0) continue
      if (this.state === 'end') throw this.refuse('something follows its zstd frame')
      const taken = chunk.subarray(at, at + this.wanted - this.held.length)
      this.held = Buffer.concat([this.held, taken])
      at += taken.length
      if (this.held.length === this.wanted) this.receive()
    }
  }

  end(): void {
    if (this.skip === 0 && this.state === 'block' && this.last) this.finishBlocks()
    if (this.state !== 'end' || this.skip > 0) throw this.refuse('its zstd frame is cut off')
  }

  private receive(): void {
    const bytes = this.held
    this.held = Buffer.alloc(0)
    if (this.state === 'header') this.frameHeader(bytes)
    else this.blockHeader(bytes)
  }

  private frameHeader(bytes: Buffer): void {
    if (bytes.readUInt32LE(0) !== MAGIC) throw this.refuse('it is no zstd frame')
    const descriptor = bytes.readUInt8(4)
    const singleSegment = (descriptor >> 5) & 1
    const sizeField = [singleSegment, 2, 4, 8][descriptor >> 6] ?? 0
    const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0
    this.checksum = (descriptor >> 2) & 1 ? 4 : 0
    this.skip = (singleSegment ? 0 : 1) + dictionary + sizeField
    this.state = 'block'
    this.wanted = 3
  }

  private blockHeader(bytes: Buffer): void {
    const header = bytes.readUIntLE(0, 3)
    const type = (header >> 1) & 3
    if (type === RESERVED) throw this.refuse('its zstd frame has a block of an unknown type')
    this.last = (header & 1) === 1
    this.skip = type === RLE ? 1 : header >> 3
  }

  private finishBlocks(): void {
    this.state = 'end'
    this.skip = this.checksum
  }
}
