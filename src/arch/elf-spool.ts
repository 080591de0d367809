import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { close, makeTemporaryDirectory, open, read, removeTree, writeAll } from '../system/files.js'
import { isElf } from './elf.js'
import type { ReadAt } from './elf.js'

/** Bytes that tell whether it is an ELF file. */
const TELLING = 4

/**
 * Keeps a file that comes in pieces where it can be read at any offset: outside of the memory, in a file without a name
 * that goes away with the process. What is no ELF file is not kept.
 */
export class ElfSpool {
  private head: Buffer = Buffer.alloc(0)
  private file: number | undefined
  private ignored = false
  private size = 0

  write(chunk: Buffer): void {
    if (this.ignored) return
    if (this.file === undefined) this.begin(Buffer.concat([this.head, chunk]))
    else this.keep(this.file, chunk)
  }

  /** undefined where nothing is kept */
  get read(): ReadAt | undefined {
    const { file, size } = this
    if (file === undefined) return undefined
    return (offset, length) => {
      const bytes = Buffer.alloc(offset < size ? Math.min(length, size - offset) : 0)
      return bytes.subarray(0, bytes.length === 0 ? 0 : read(file, bytes, 0, bytes.length, offset))
    }
  }

  close(): void {
    if (this.file !== undefined) close(this.file)
    this.file = undefined
  }

  private begin(head: Buffer): void {
    this.head = head
    if (head.length < TELLING) return
    this.head = Buffer.alloc(0)
    this.ignored = !isElf(head)
    if (!this.ignored) this.keep((this.file = openNameless()), head)
  }

  private keep(file: number, chunk: Buffer): void {
    writeAll(file, chunk)
    this.size += chunk.length
  }
}

function openNameless(): number {
  const directory = makeTemporaryDirectory(join(tmpdir(), 'treeswap-elf-'))
  try {
    return open(join(directory, 'file'), 'wx+', 0o600)
  } finally {
    removeTree(directory)
  }
}
