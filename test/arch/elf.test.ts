import { expect } from 'chai'
import fc from 'fast-check'
import { execFileSync } from 'node:child_process'
import { readFileSync, realpathSync } from 'node:fs'
import { readElf } from '../../src/arch/elf.js'
import type { ElfNames } from '../../src/arch/elf.js'
import { DT, elf } from './elf-builder.js'
import type { Elf } from './elf-builder.js'

describe('sonames of an ELF file', () => {
  const read = (bytes: Buffer): ElfNames | undefined =>
    readElf((offset, length) => {
      expect(length).to.be.at.least(0)
      return bytes.subarray(offset, offset + length)
    })

  it('are those that readelf sees, in programs and libraries of this host', () => {
    const loaded = readFileSync('/proc/self/maps', 'utf8').match(/\/\S+\.so[.\d]*$/gm) ?? []
    const paths = [...new Set([process.execPath, ...loaded])].map((path) => realpathSync(path))
    expect(paths.length).to.be.greaterThan(3)
    for (const path of paths) {
      const dump = execFileSync('readelf', ['--dynamic', '--wide', path], { encoding: 'utf8', maxBuffer: 1e8 })
      const names = (tag: string): string[] =>
        Array.from(dump.matchAll(tag === 'NEEDED' ? needed : soname), ([, name]) => name!)
      const [name] = names('SONAME')
      expect(read(readFileSync(path)), path).to.deep.equal({
        bits: 64,
        ...(name !== undefined && { soname: name }),
        needed: names('NEEDED'),
      })
    }
  })
  const needed = /\(NEEDED\).*\[(.*)\]$/gm
  const soname = /\(SONAME\).*\[(.*)\]$/gm

  const names = { soname: 'libone.so.1', needed: ['libtwo.so.2', 'libc.so.6'] }
  for (const bits of [32, 64] as const) {
    it(`are found in ${bits} bits, wherever the file is mapped to`, () => {
      for (const base of [0, 0x400000, 0x7fff0000]) {
        expect(read(elf({ bits, base, ...names }))).to.deep.equal({ bits, ...names })
      }
    })
  }

  it('are none in what is no ELF file of little endian', () => {
    const big = elf({ ...names, data: 2 })
    const other = elf(names).fill('#!/b', 0, 4)
    const cut = [0, 3, 50, 53, 56, 63].map((length) => elf(names).subarray(0, length))
    expect([big, other, ...cut].map(read).every((result) => result === undefined)).to.be.true
  })

  const strings: [number, number][] = [
    [DT.strings, 0x400000 + 176],
    [DT.stringsSize, 9],
  ]
  it('are taken from a section by hand', () => {
    const file = elf({ needed: ['libx.so'], dynamic: [[DT.needed, 1], ...strings] })
    expect(read(file)).to.deep.equal({ bits: 64, needed: ['libx.so'] })
  })

  const odd: Record<string, Elf> = {
    'beyond the strings': { dynamic: [[DT.needed, 20], ...strings] },
    'without a size of the strings': { dynamic: [[DT.needed, 1], strings[0]!] },
    'without strings': { dynamic: [[DT.needed, 1], strings[1]!] },
    'in strings outside of the file': { dynamic: [[DT.needed, 1], [DT.strings, 2 ** 40], strings[1]!] },
    'without an end': { needed: ['n'.repeat(300)] },
    'with a slash': { needed: ['./libhere.so'] },
    'with a control character': { needed: ['lib\n.so'] },
    'of no length': { needed: [''] },
    'behind the end of the section': { dynamic: [[DT.null, 0], [DT.needed, 1], ...strings] },
  }
  for (const [what, file] of Object.entries(odd)) {
    it(`are not taken ${what}`, () => {
      expect(read(elf({ needed: ['libx.so'], ...file }))).to.deep.equal({ bits: 64, needed: [] })
    })
  }

  it('make no trouble in files that were tampered with', () => {
    const good = { 32: elf({ bits: 32, ...names }), 64: elf(names) }
    const change = fc.record({ at: fc.nat(400), value: fc.constantFrom(0, 1, 2, 5, 10, 14, 0x7f, 0x80, 0xff) })
    fc.assert(
      fc.property(
        fc.constantFrom(32, 64),
        fc.array(change, { minLength: 1, maxLength: 8 }),
        fc.nat(500),
        (bits, changes, end) => {
          const bytes = Buffer.from(good[bits]).subarray(0, 60 + end)
          for (const { at, value } of changes) if (at < bytes.length) bytes[at] = value
          for (const name of read(bytes)?.needed ?? []) expect(name).to.match(/^[!-.0-~]{1,255}$/)
        },
      ),
      { numRuns: 3000 },
    )
  })

  it('are looked for in no more than the tables that the header names, however large it says they are', () => {
    const bytes = elf(names)
    bytes.writeBigUInt64LE(2n ** 63n, 64 + 56 + 32)
    bytes.writeUInt16LE(512, 56)
    const asked: number[] = []
    readElf((offset, length) => {
      asked.push(length)
      return bytes.subarray(offset, offset + length)
    })
    expect(Math.max(...asked)).to.be.at.most(2 ** 16)
    expect(asked.length).to.be.at.most(8)
    bytes.writeUInt16LE(0xffff, 56)
    expect(read(bytes)).to.equal(undefined)
  })
})
