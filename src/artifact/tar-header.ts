import { isUtf8 } from 'node:buffer'

/**
 * One header block of a tar archive (POSIX.1-1988 ustar and GNU tar; layouts in the manual of GNU tar, "Basic Tar
 * Format", and POSIX pax, "ustar Interchange Format").
 */
export interface Header {
  path: string
  link: string
  mode: number
  /** bytes of content behind the header */
  size: number
  /** type flag: one character */
  type: string
}

export const BLOCK = 512

const USTAR = Buffer.from('ustar\x0000', 'latin1')
const GNU = Buffer.from('ustar  \0', 'latin1')
const MAGIC = 257
const SUM = { at: 148, length: 8 }
const SPACE = 0x20

const ascii = /^[ -~]*$/

/**
 * @param refuse makes the error for an entry (undefined: the archive) and a rule
 * @throws what `refuse` makes
 */
export function readHeader(block: Buffer, refuse: (entry: string | undefined, rule: string) => Error): Header {
  if (readNumber(block, SUM.at, SUM.length) !== checksum(block))
    throw refuse(undefined, 'a header has a wrong checksum')
  const posix = block.compare(USTAR, 0, USTAR.length, MAGIC, MAGIC + USTAR.length) === 0
  if (!posix && block.compare(GNU, 0, GNU.length, MAGIC, MAGIC + GNU.length) !== 0) {
    throw refuse(undefined, 'a header is neither POSIX nor GNU tar')
  }
  const name = field(block, 0, 100)
  const prefix = posix ? field(block, 345, 155) : ''
  if (name === undefined || prefix === undefined) {
    throw refuse(block.toString('latin1', 0, 100), 'its name is not valid UTF-8')
  }
  const path = prefix === '' ? name : `${prefix}/${name}`
  const link = field(block, 157, 100)
  if (link === undefined) throw refuse(path, 'its target is not valid UTF-8')
  const mode = readNumber(block, 100, 8)
  const size = readNumber(block, 124, 12)
  if (mode === undefined || size === undefined) throw refuse(path, 'its mode or size is no number')
  return { path, link, mode, size, type: String.fromCharCode(block[156] ?? 0) }
}

/** Text from bytes; undefined where they are not UTF-8. */
export function decodeText(bytes: Buffer): string | undefined {
  const text = bytes.toString('latin1')
  if (ascii.test(text)) return text
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined
}

function field(block: Buffer, at: number, length: number): string | undefined {
  if (block[at] === 0) return ''
  const nul = block.indexOf(0, at)
  const end = nul === -1 || nul > at + length ? at + length : nul
  const text = block.toString('latin1', at, end)
  return ascii.test(text) ? text : decodeText(block.subarray(at, end))
}

/** Octal text, or GNU's base-256 for what does not fit. */
function readNumber(block: Buffer, at: number, length: number): number | undefined {
  if (block[at] === 0x80) return base256(block, at + 1, at + length)
  let value = 0
  let position = at
  const end = at + length
  while (position < end && block[position] === SPACE) position++
  for (; position < end; position++) {
    const byte = block[position] ?? 0
    if (byte === 0 || byte === SPACE) break
    if (byte < 0x30 || byte > 0x37) return undefined
    value = value * 8 + byte - 0x30
  }
  return value
}

function base256(block: Buffer, from: number, to: number): number | undefined {
  let value = 0
  for (let position = from; position < to; position++) value = value * 256 + (block[position] ?? 0)
  return Number.isSafeInteger(value) ? value : undefined
}

/** Sum of all bytes, with its own field counted as spaces. */
function checksum(block: Buffer): number {
  let sum = SUM.length * SPACE
  for (let position = 0; position < SUM.at; position++) sum += block[position] ?? 0
  for (let position = SUM.at + SUM.length; position < BLOCK; position++) sum += block[position] ?? 0
  return sum
}
