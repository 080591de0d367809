/**
 * What a dynamic linker would be asked for: the names in the dynamic section of an ELF file (System V ABI, "Object
 * Files" and "Dynamic Linking"; 32 and 64 bits, little endian).
 */
export interface ElfNames {
  bits: 32 | 64
  /** DT_SONAME */
  soname?: string
  /** DT_NEEDED, in the file's order */
  needed: string[]
}

/** Bytes of a file from an offset on; fewer than asked for, or none, where the file ends. */
export type ReadAt = (offset: number, length: number) => Buffer

const MAGIC = Buffer.from('\x7fELF', 'latin1')
const LITTLE_ENDIAN = 1
const LOAD = 1
const DYNAMIC = 2
const DT = { null: 0, needed: 1, strings: 5, stringsSize: 10, soname: 14 }

/** The linker's own files have a dozen program headers and a few hundred dynamic entries. */
const MAX_SEGMENTS = 512
const MAX_DYNAMIC = 2 ** 16
const MAX_NAME = 256
/** one path component of visible ASCII: a name with a slash is a path, and no soname */
const sonameLike = /^[!-.0-~]{1,255}$/

/** Where the two classes have their fields: offset in bytes. */
const layouts = {
  32: { header: 52, tableAt: 28, entrySize: 42, entries: 44, segment: 32, offset: 4, address: 8, size: 16 },
  64: { header: 64, tableAt: 32, entrySize: 54, entries: 56, segment: 56, offset: 8, address: 16, size: 32 },
} as const

interface Segment {
  type: number
  offset: number
  address: number
  size: number
}

export function isElf(head: Buffer): boolean {
  return head.subarray(0, MAGIC.length).equals(MAGIC)
}

/**
 * Reads an ELF file that nobody vouches for.
 * @returns undefined where it is none, has no dynamic section, or is broken; never throws but what `read` throws
 */
export function readElf(read: ReadAt): ElfNames | undefined {
  const header = read(0, layouts[64].header)
  if (header.length < layouts[32].header || !isElf(header) || header[5] !== LITTLE_ENDIAN) return undefined
  const bits = header[4] === 1 ? 32 : header[4] === 2 ? 64 : undefined
  if (bits === undefined || header.length < layouts[bits].header) return undefined
  const segments = readSegments(read, header, bits)
  const dynamic = segments.find(({ type }) => type === DYNAMIC)
  return dynamic && readDynamic(read, bits, dynamic, segments)
}

function readSegments(read: ReadAt, header: Buffer, bits: 32 | 64): Segment[] {
  const layout = layouts[bits]
  const count = header.readUInt16LE(layout.entries)
  if (header.readUInt16LE(layout.entrySize) !== layout.segment || count > MAX_SEGMENTS) return []
  const table = read(word(header, layout.tableAt, bits), count * layout.segment)
  return Array.from({ length: Math.floor(table.length / layout.segment) }, (_, index) => {
    const at = index * layout.segment
    return {
      type: table.readUInt32LE(at),
      offset: word(table, at + layout.offset, bits),
      address: word(table, at + layout.address, bits),
      size: word(table, at + layout.size, bits),
    }
  })
}

function readDynamic(read: ReadAt, bits: 32 | 64, { offset, size }: Segment, segments: Segment[]): ElfNames {
  const table = read(offset, Math.min(size, MAX_DYNAMIC))
  const length = bits / 8
  const needed: number[] = []
  const values = new Map<number, number>()
  for (let at = 0; at + 2 * length <= table.length; at += 2 * length) {
    const tag = word(table, at, bits)
    const value = word(table, at + length, bits)
    if (tag === DT.null) break
    if (tag === DT.needed) needed.push(value)
    else values.set(tag, value)
  }
  const strings = placeOf(values.get(DT.strings), segments)
  const end = values.get(DT.stringsSize) ?? 0
  const nameAt = (at: number | undefined): string | undefined => {
    if (strings === undefined || at === undefined || at >= end) return undefined
    const bytes = read(strings + at, Math.min(MAX_NAME, end - at))
    const text = bytes.toString('latin1', 0, Math.max(0, bytes.indexOf(0)))
    return sonameLike.test(text) ? text : undefined
  }
  const soname = nameAt(values.get(DT.soname))
  return {
    bits,
    ...(soname !== undefined && { soname }),
    needed: needed.map(nameAt).filter((name) => name !== undefined),
  }
}

/** Where in the file an address of the running program lies. */
function placeOf(address: number | undefined, segments: Segment[]): number | undefined {
  if (address === undefined) return undefined
  const segment = segments.find(
    ({ type, address: start, size }) => type === LOAD && address >= start && address < start + size,
  )
  return segment && segment.offset + address - segment.address
}

/** Beyond 2^53 it is not exact: no file is that long. */
function word(bytes: Buffer, at: number, bits: 32 | 64): number {
  const low = bytes.readUInt32LE(at)
  return bits === 32 ? low : bytes.readUInt32LE(at + 4) * 2 ** 32 + low
}
