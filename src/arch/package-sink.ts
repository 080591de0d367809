import { decodeText } from '../artifact/tar-header.js'
import type { LargeFile, TarSink } from '../artifact/tar-sink.js'
import type { PackageRecord } from '../model/pacman-package.js'
import { ElfSpool } from './elf-spool.js'
import { isElf } from './elf.js'
import type { ReadAt } from './elf.js'
import { parsePkginfo } from './pkginfo.js'
import { Sonames } from './sonames.js'

const INFO = '.PKGINFO'

/** Makes the record of a package out of the entries of its archive. */
export class PackageSink implements TarSink {
  private info: string | undefined
  private readonly files: string[] = []
  private readonly sonames: Sonames

  /** @param invalid makes the error from what is wrong with the package */
  constructor(private readonly invalid: (why: string) => Error) {
    this.sonames = new Sonames(() => invalid('its ELF files name more libraries than any package does'))
  }

  /** To be called once the archive has ended. */
  record(): PackageRecord {
    if (this.info === undefined) throw this.invalid('there is no .PKGINFO in it')
    const info = parsePkginfo(this.info, this.invalid)
    return { info, files: sortByBytes(this.files), ...this.sonames.result() }
  }

  directory(path: string): void {
    this.list(`${path}/`)
  }

  symlink(path: string): void {
    this.list(path)
  }

  file({ path }: { path: string }, content: Buffer): void {
    if (path === INFO) this.info = this.text(content)
    this.list(path)
    if (isElf(content)) this.sonames.file(path, readIn(content))
  }

  largeFile(path: string): LargeFile {
    if (path === INFO) throw this.invalid('its .PKGINFO is larger than any other')
    this.list(path)
    const spool = new ElfSpool()
    return {
      write: (chunk) => spool.write(chunk),
      end: () => {
        if (spool.read) this.sonames.file(path, spool.read)
        spool.close()
      },
      abandon: () => spool.close(),
    }
  }

  duplicate({ path }: { path: string }, original: { path: string }): void {
    this.list(path)
    this.sonames.sameFile(path, original.path)
  }

  /** Dot-files at the top are the package's own, not installed. */
  private list(path: string): void {
    if (!path.startsWith('.')) this.files.push(path)
  }

  private text(content: Buffer): string {
    const text = decodeText(content)
    if (text === undefined) throw this.invalid('its .PKGINFO is not UTF-8')
    return text
  }
}

function readIn(content: Buffer): ReadAt {
  return (offset, length) => content.subarray(offset, offset + length)
}

/** Where JavaScript's order of text, by UTF-16, is not that of the bytes of its UTF-8. */
const otherOrder = /[\ud800-\uffff]/

/** In the order of `LC_ALL=C sort`. */
function sortByBytes(paths: string[]): string[] {
  if (!paths.some((path) => otherOrder.test(path))) return paths.sort()
  return paths.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
}
