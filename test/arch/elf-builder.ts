/** ELF files by hand: header, two program headers, a dynamic section, its strings. */
export interface Elf {
  bits?: 32 | 64
  soname?: string
  needed?: string[]
  /** tags and values that replace what would stand in the dynamic section */
  dynamic?: [tag: number, value: number][]
  /** where the file is mapped to */
  base?: number
  data?: number
}

export const DT = { null: 0, needed: 1, strings: 5, stringsSize: 10, soname: 14 }

export function elf({ bits = 64, soname, needed = [], dynamic, base = 0x400000, data = 1 }: Elf): Buffer {
  const wide = bits === 64
  const word = bits / 8
  const names = [...(soname === undefined ? [] : [soname]), ...needed]
  const strings = Buffer.from(`\0${names.map((name) => `${name}\0`).join('')}`)
  const offsets = names.map((_, index) => 1 + names.slice(0, index).reduce((sum, name) => sum + name.length + 1, 0))
  const header = wide ? 64 : 52
  const segment = wide ? 56 : 32
  const stringsAt = header + 2 * segment
  const dynamicAt = stringsAt + strings.length
  const entries = dynamic ?? [
    ...offsets.map((at, index): [number, number] => [soname !== undefined && index === 0 ? DT.soname : DT.needed, at]),
    [DT.strings, base + stringsAt],
    [DT.stringsSize, strings.length],
    [DT.null, 0],
  ]
  const total = dynamicAt + entries.length * 2 * word
  const bytes = Buffer.alloc(total)
  const put = (value: number, at: number): void => {
    if (wide) bytes.writeBigUInt64LE(BigInt(value), at)
    else bytes.writeUInt32LE(value, at)
  }
  bytes.write('\x7fELF', 'latin1')
  bytes.set([wide ? 2 : 1, data, 1], 4)
  bytes.writeUInt16LE(3, 16)
  put(header, wide ? 32 : 28)
  bytes.writeUInt16LE(segment, wide ? 54 : 42)
  bytes.writeUInt16LE(2, wide ? 56 : 44)
  for (const [index, [type, offset, size]] of [
    [1, 0, total],
    [2, dynamicAt, total - dynamicAt],
  ].entries()) {
    const at = header + index * segment
    bytes.writeUInt32LE(type!, at)
    put(offset!, at + (wide ? 8 : 4))
    put(base + offset!, at + (wide ? 16 : 8))
    put(size!, at + (wide ? 32 : 16))
  }
  strings.copy(bytes, stringsAt)
  for (const [index, [tag, value]] of entries.entries()) {
    put(tag, dynamicAt + index * 2 * word)
    put(value, dynamicAt + (index * 2 + 1) * word)
  }
  return bytes
}
