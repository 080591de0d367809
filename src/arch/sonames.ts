import { readElf } from './elf.js'
import type { ElfNames, ReadAt } from './elf.js'

/** Where the dynamic linker looks without being told: /usr/lib, /lib64, /usr/lib32, Debian's /usr/lib/x86_64-linux-gnu, … */
const library = /^(?:usr\/(?:local\/)?)?lib(?:32|64|x32)?\/(?:[a-z0-9_]+-linux-gnu[a-z0-9_]*\/)?[^/]+$/
/** symbols for debuggers: the headers of the program they belong to, without its content */
const DEBUG_SYMBOLS = 'usr/lib/debug/'

/** No package has as many: kernels and texlive stay below a thousand. */
const MAX_NAMES = 50_000

/** Collects what the ELF files of one package offer to others and want from them. */
export class Sonames {
  private readonly byPath = new Map<string, ElfNames>()
  private readonly offered = new Set<string>()
  private readonly own = new Set<string>()
  private readonly wanted = new Set<string>()

  /** @param tooMany makes the error for a package with more names than any real one has */
  constructor(private readonly tooMany: () => Error) {}

  /** Takes up a file of the package, whatever it is. */
  file(path: string, read: ReadAt): void {
    const names = path.startsWith(DEBUG_SYMBOLS) ? undefined : readElf(read)
    if (names) this.add(path, names)
  }

  /** Takes up a hard link of a file that was taken up before. */
  sameFile(path: string, original: string): void {
    const names = this.byPath.get(original)
    if (names) this.add(path, names)
  }

  /** Sonames with the ELF class (`libfoo.so.1=64`), sorted. What the package brings itself, wherever, it does not need. */
  result(): { libraries: string[]; needs: string[] } {
    const needs = [...this.wanted].filter((name) => !this.own.has(name))
    return { libraries: [...this.offered].sort(), needs: needs.sort() }
  }

  private add(path: string, names: ElfNames): void {
    const { bits, soname, needed } = names
    this.byPath.set(path, names)
    // a library without a soname is asked for by the name of its file
    this.own.add(`${soname ?? path.slice(path.lastIndexOf('/') + 1)}=${bits}`)
    if (soname !== undefined && library.test(path)) this.offered.add(`${soname}=${bits}`)
    for (const name of needed) this.wanted.add(`${name}=${bits}`)
    if (this.wanted.size + this.own.size > MAX_NAMES) throw this.tooMany()
  }
}
