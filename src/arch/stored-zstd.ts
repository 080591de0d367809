const MAGIC = 0xfd2fb528
const BLOCK = 128 * 1024

/**
 * A zstd frame of blocks that are stored as they are (RFC 8878, section 3.1.1): equal content gives equal bytes
 * whatever zstd a host has. For what is small.
 */
export function storedZstd(content: Buffer): Buffer {
  const header = Buffer.alloc(9)
  header.writeUInt32LE(MAGIC)
  // a single segment, whose size has four bytes
  header.writeUInt8(0xa0, 4)
  header.writeUInt32LE(content.length, 5)
  const parts: Buffer[] = [header]
  for (let at = 0; at === 0 || at < content.length; at += BLOCK) {
    const bytes = content.subarray(at, at + BLOCK)
    const last = at + BLOCK >= content.length ? 1 : 0
    const size = Buffer.alloc(3)
    size.writeUIntLE((bytes.length << 3) | last, 0, 3)
    parts.push(size, bytes)
  }
  return Buffer.concat(parts)
}
