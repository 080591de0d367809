import { BLOCK } from './tar-header.js'

const NAME_LENGTH = 100
const SIZE = { at: 124, digits: 11 }
const CHECKSUM = { at: 148, digits: 6 }
/** tar archives are multiples of this */
const RECORD = 10_240

/**
 * Entries of a tar archive (POSIX ustar, with a pax extended header where a path is long): directories and texts, with
 * owner root, pinned modes, time 0, so that equal entries give equal bytes.
 */
export class TarBlocks {
  private buffer = Buffer.allocUnsafe(2 ** 16)
  private at = 0

  /** @param path ASCII, without a slash at its end */
  directory(path: string): void {
    this.entry(`${path}/`, directoryTemplate, '')
  }

  /** @param path ASCII */
  file(path: string, content: string): void {
    this.entry(path, fileTemplate, content)
  }

  /** What was added; valid until more is added. */
  get bytes(): Buffer {
    return this.buffer.subarray(0, this.at)
  }

  clear(): void {
    this.at = 0
  }

  private entry(path: string, template: Template, content: string): void {
    if (path.length > NAME_LENGTH) this.entry('PaxHeader', extendedTemplate, paxRecord(path))
    // UTF-8 has at most three bytes for one unit of UTF-16
    this.reserve(2 * BLOCK + content.length * 3)
    const start = this.at + BLOCK
    const end = start + this.buffer.write(content, start)
    this.header(path.slice(0, NAME_LENGTH), template, end - start)
    this.at = Math.ceil(end / BLOCK) * BLOCK
    this.buffer.fill(0, end, this.at)
  }

  private header(name: string, { block, sum }: Template, size: number): void {
    const { buffer, at } = this
    const digits = size.toString(8).padStart(SIZE.digits, '0')
    block.copy(buffer, at)
    buffer.write(name, at, 'latin1')
    buffer.write(digits, at + SIZE.at, 'latin1')
    const total = sum + sumOf(name) + sumOf(digits)
    buffer.write(total.toString(8).padStart(CHECKSUM.digits, '0') + '\0 ', at + CHECKSUM.at, 'latin1')
  }

  private reserve(length: number): void {
    const needed = this.at + length
    if (needed <= this.buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(needed, 2 * this.buffer.length))
    this.buffer.copy(larger, 0, 0, this.at)
    this.buffer = larger
  }
}

/** What follows the last entry of an archive of so many bytes. */
export function tarEnd(length: number): Buffer {
  return Buffer.alloc(Math.ceil((length + 2 * BLOCK) / RECORD) * RECORD - length)
}

/** A header without name, size and checksum, and the sum of its bytes, its own field counted as spaces. */
interface Template {
  block: Buffer
  sum: number
}

const fileTemplate = template('0', '0000644')
const directoryTemplate = template('5', '0000755')
const extendedTemplate = template('x', '0000644')

function template(type: string, mode: string): Template {
  const block = Buffer.alloc(BLOCK)
  block.write(`${mode}\0` + '0000000\0'.repeat(2), 100, 'latin1')
  block.write('0'.repeat(11), 136, 'latin1')
  block.fill(' ', CHECKSUM.at, CHECKSUM.at + 8)
  block.write(type, 156, 'latin1')
  block.write('ustar\x0000', 257, 'latin1')
  block.write('root', 265, 'latin1')
  block.write('root', 297, 'latin1')
  return { block, sum: block.reduce((sum, byte) => sum + byte, 0) }
}

function sumOf(ascii: string): number {
  let sum = 0
  for (let index = 0; index < ascii.length; index++) sum += ascii.charCodeAt(index)
  return sum
}

/** `LENGTH path=PATH\n`, where the length counts itself. */
function paxRecord(path: string): string {
  const rest = ` path=${path}\n`
  let length = rest.length
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return `${length}${rest}`
}
