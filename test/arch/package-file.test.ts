import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { chmodSync, lstatSync, mkdtempSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ElfSpool } from '../../src/arch/elf-spool.js'
import { readPackageFile, requireNamed } from '../../src/arch/package-file.js'
import { decodeRecord, encodeRecord } from '../../src/arch/record-text.js'
import { packageFileName } from '../../src/model/pacman-package.js'
import { failure } from '../artifact/collect.js'
import { archive, directory, pax, symlink } from '../artifact/tar-builder.js'
import type { Member } from '../artifact/tar-builder.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { elf } from './elf-builder.js'
import { makepkg } from './makepkg.js'
import { rich, split } from './recipes.js'
import { sampleInfo } from './sample-entry.js'

function openFiles(): string[] {
  const links = readdirSync('/proc/self/fd').map((number) => `/proc/self/fd/${number}`)
  // the one by which they are listed is gone
  return links.filter((link) => lstatSync(link, { throwIfNoEntry: false })).map((link) => readlinkSync(link))
}

describe('a package file', () => {
  const temporary = temporaryDirectory()
  const info = {
    name: '.PKGINFO',
    content: 'pkgname = sample\npkgver = 1-1\narch = any\nbuilddate = 1700000000\nsize = 1\n',
  }

  const write = (content: Buffer, name = 'sample-1-1-any.pkg.tar.gz'): string => {
    const path = join(temporary(), name)
    writeFileSync(path, content)
    return path
  }
  const read = (...members: Member[]) => readPackageFile(write(gzipSync(archive(...members))), silent)

  describe('by makepkg', function () {
    this.timeout(120_000)
    let top: string
    let packages: string[]

    before(() => {
      top = mkdtempSync(join(tmpdir(), 'treeswap-package-'))
      chmodSync(top, 0o755)
      packages = [...makepkg(join(top, 'rich'), rich), ...makepkg(join(top, 'split'), split)]
    })
    after(() => rmSync(top, { recursive: true }))

    it('gives what bsdtar lists, the dot-files at its top left out', async () => {
      const listed = execFileSync('bsdtar', ['-tf', packages[0]!], { encoding: 'utf8', env: { LC_ALL: 'C.UTF-8' } })
      const { info, files } = await readPackageFile(packages[0]!, silent)
      const paths = listed.trimEnd().split('\n')
      expect(files).to.have.members(paths.filter((path) => !path.startsWith('.')))
      expect(paths).to.include.members(['.PKGINFO', '.INSTALL', '.MTREE'])
      expect(info).to.include({ name: 'fixture-rich', base: 'fixture-rich', version: '2:1.0.r3+gabc-1.1' })
    })

    it('gives sonames of libraries that all can find, and those that it does not bring itself', async () => {
      const [program, libraries] = await Promise.all(packages.slice(1).map((path) => readPackageFile(path, silent)))
      expect(program).to.deep.include({ libraries: [], needs: ['libc.so.6=64', 'libfixture.so.3=64', 'libm.so.6=64'] })
      expect(libraries).to.deep.include({ libraries: ['libfixture.so.3=64'] })
    })

    it('is the same package with every compression', async () => {
      const whole = await readPackageFile(packages[1]!, silent)
      const tar = execFileSync('zstd', ['-dc', packages[1]!])
      for (const program of ['gzip', 'xz']) {
        const compressed = write(execFileSync(program, ['-c'], { input: tar }))
        expect(await readPackageFile(compressed, silent), program).to.deep.equal(whole)
      }
    })

    it('is refused when it is cut off or damaged anywhere', async () => {
      for (const program of ['gzip', 'xz', 'zstd']) {
        const content = execFileSync(program, ['-c'], { input: execFileSync('zstd', ['-dc', packages[1]!]) })
        const damaged = Buffer.from(content)
        damaged[content.length >> 1]! ^= 0x55
        for (const bytes of [content.subarray(0, content.length >> 1), content.subarray(0, -4), damaged]) {
          const error = await failure(() => readPackageFile(write(bytes), silent))
          expect(error.code, program).to.equal('PACKAGE_INVALID')
        }
      }
    })

    it('has to be called what it is', async () => {
      const [path = ''] = packages
      const record = await readPackageFile(path, silent)
      const name = basename(path)
      expect(() => requireNamed(record, name)).not.to.throw()
      expect(() => requireNamed(record, name.replace('.zst', '.xz'))).not.to.throw()
      for (const wrong of [
        name.replace('rich', 'poor'),
        name.replace('2:', ''),
        name.replace('any', 'x86_64'),
        `${name}.sig`,
      ]) {
        const error = await failure(() => requireNamed(record, wrong))
        expect(error.code).to.equal('PACKAGE_INVALID')
        expect(error.message).to.include(wrong)
      }
      expect(packageFileName(record.info)).to.equal(name)
    })

    it('can be kept as text', async () => {
      const record = await readPackageFile(packages[0]!, silent)
      expect(decodeRecord(encodeRecord(record))).to.deep.equal(record)
    })
  })

  it('may have setuid files, capabilities, links to anywhere: unpacking it is for pacman', async () => {
    const record = await read(
      info,
      directory('usr'),
      { name: 'usr/su', mode: 0o4755 },
      pax({ 'SCHILY.xattr.security.capability': Buffer.from([1, 0, 0, 2]), 'LIBARCHIVE.xattr.user.x': 'eA==' }),
      { name: 'usr/ping', mode: 0o755 },
      symlink('usr/link', '/etc/passwd'),
    )
    expect(record).to.deep.equal({
      info: sampleInfo(),
      ...{ files: ['usr/', 'usr/link', 'usr/ping', 'usr/su'], libraries: [], needs: [] },
    })
  })

  it('may hold large ELF files, which are read without a trace', async () => {
    const large = Buffer.concat([elf({ soname: 'libbig.so.1', needed: ['libc.so.6'] }), Buffer.alloc(3 * 2 ** 20)])
    const traces = () => [
      ...readdirSync(tmpdir()).filter((name) => name.startsWith('treeswap-elf-')),
      ...openFiles().filter((path) => path.includes('treeswap-elf-')),
    ]
    const before = traces()
    const record = await read(
      info,
      ...['usr', 'usr/lib', 'usr/share'].map(directory),
      { name: 'usr/lib/libbig.so.1', content: large },
      { name: 'usr/share/data', content: Buffer.alloc(2 ** 21, 1) },
    )
    expect(record).to.deep.include({ libraries: ['libbig.so.1=64'], needs: ['libc.so.6=64'] })
    expect(traces()).to.deep.equal(before)
  })

  it('offers libraries of the directories that the linker searches, of both classes', async () => {
    const places = [
      'lib',
      'lib64',
      'usr/lib',
      'usr/lib32',
      'usr/local/lib',
      'usr/lib/x86_64-linux-gnu',
      'usr/lib/own',
      'opt',
      'usr/bin',
    ]
    const parents = [
      ...new Set(places.flatMap((path) => path.split('/').map((_, index, all) => all.slice(0, index + 1).join('/')))),
    ]
    const record = await read(
      info,
      ...parents.map(directory),
      ...places.map((place, index) => ({
        name: `${place}/file`,
        content: elf({
          bits: place.endsWith('32') ? 32 : 64,
          soname: `lib${index}.so`,
          needed: ['lib7.so', 'libfree.so'],
        }),
      })),
    )
    expect(record.libraries).to.deep.equal([
      'lib0.so=64',
      'lib1.so=64',
      'lib2.so=64',
      'lib3.so=32',
      'lib4.so=64',
      'lib5.so=64',
    ])
    // its own lib7.so is of the other class
    expect(record.needs).to.deep.equal(['lib7.so=32', 'libfree.so=32', 'libfree.so=64'])
  })

  it('needs nothing for its debug symbols, nor what it brings under a plain name', async () => {
    const record = await read(
      info,
      ...['opt', 'usr', 'usr/lib', 'usr/lib/debug'].map(directory),
      { name: 'opt/program', content: elf({ needed: ['libplain.so', 'libother.so'] }) },
      { name: 'opt/libplain.so', content: elf({}) },
      { name: 'usr/lib/debug/program', content: elf({ soname: 'libother.so', needed: ['libdebug.so'] }) },
    )
    expect(record).to.deep.include({ libraries: [], needs: ['libother.so=64'] })
  })

  it('is read the same however its bytes arrive', () => {
    const content = elf({ soname: 'libx.so' })
    const spool = new ElfSpool()
    for (const byte of content) spool.write(Buffer.from([byte]))
    expect(spool.read?.(0, 1e6)).to.deep.equal(content)
    expect(spool.read?.(content.length - 2, 10)).to.deep.equal(content.subarray(-2))
    expect(spool.read?.(2 ** 60, 10)).to.have.length(0)
    spool.close()
  })

  it('offers a library that is a hard link of a file elsewhere', async () => {
    const record = await read(
      info,
      ...['opt', 'usr', 'usr/lib'].map(directory),
      { name: 'opt/file', content: elf({ soname: 'libhard.so.1' }) },
      { name: 'usr/lib/libhard.so.1', type: '1', link: 'opt/file' },
    )
    expect(record.libraries).to.deep.equal(['libhard.so.1=64'])
  })

  const refused: Record<string, [Member[], string]> = {
    'without .PKGINFO': [[directory('usr')], 'there is no .PKGINFO in it'],
    'with a .PKGINFO that is a directory': [[directory('.PKGINFO')], 'there is no .PKGINFO'],
    'with a .PKGINFO that is a link': [[symlink('.PKGINFO', '/etc/passwd')], 'there is no .PKGINFO'],
    'with two of them': [[info, info], 'the archive has it twice'],
    'with a huge one': [[{ name: '.PKGINFO', content: Buffer.alloc(2 ** 20 + 1, '#') }], 'larger than any other'],
    'with one that is not UTF-8': [[{ name: '.PKGINFO', content: Buffer.from([0xff]) }], 'not UTF-8'],
    'with one that says nothing': [[{ name: '.PKGINFO', content: '' }], 'does not say pkgname'],
    'with a path that leads out of it': [[info, { name: '../etc/passwd' }], '".." component'],
    'with a name that is a line of a database': [[info, { name: 'a\n%NAME%' }], 'control character'],
    'with a device': [[info, { name: 'dev', type: '3' }], 'character device'],
  }
  for (const [what, [members, why]] of Object.entries(refused)) {
    it(`is refused ${what}`, async () => {
      const error = await failure(() => read(...members))
      expect(error.code).to.equal('PACKAGE_INVALID')
      expect(error.message).to.include('sample-1-1-any.pkg.tar.gz').and.to.include(why)
      expect(error.hint).not.to.equal('')
    })
  }

  it('is refused where it is none at all', async () => {
    const paths = [write(Buffer.alloc(0)), write(Buffer.from('<html>'), 'b'), temporary(), join(temporary(), 'gone')]
    for (const path of paths) {
      expect((await failure(() => readPackageFile(path, silent))).code, path).to.equal('PACKAGE_INVALID')
    }
  })

  it('is refused without the end of its archive', async () => {
    const error = await failure(() => readPackageFile(write(gzipSync(archive(info).subarray(0, 1024))), silent))
    expect(error.code).to.equal('PACKAGE_INVALID')
    expect(error.message).to.include('it is cut off')
  })

  it('is refused when it unpacks to a thousand times its size', async () => {
    const bomb = execFileSync('sh', ['-c', 'head -c 200M /dev/zero | zstd -c -19'])
    const member = archive(info, { name: 'zeros', size: 200 * 2 ** 20 }).subarray(0, -1024)
    const error = await failure(() =>
      readPackageFile(write(Buffer.concat([execFileSync('zstd', ['-c'], { input: member }), bomb])), silent),
    )
    expect(error.code).to.equal('PACKAGE_INVALID')
    expect(error.message).to.include('it unpacks to more than')
  }).timeout(60_000)

  it('stops being read on request', async () => {
    const stop = new AbortController()
    stop.abort()
    const path = write(gzipSync(archive(info)))
    process.nextTick(() => rmSync(path))
    expect((await failure(() => readPackageFile(path, { signal: stop.signal }))).code).to.equal('ABORTED')
  })

  it('kept as text by another version, or broken, is no record', () => {
    const good = encodeRecord({ info: sampleInfo(), files: [], libraries: [], needs: [] })
    expect(decodeRecord(good)?.files).to.deep.equal([])
    const changes = [
      ['"schema":1', '"schema":2'],
      ['{"schema"', '{"more":1,"schema"'],
      ['{"name"', '{"more":1,"name"'],
      ['"sample"', '"../x"'],
      ['[]', '[1]'],
      ['}', ''],
    ]
    const changed = changes.map(([from = '', to = '']) => good.replace(from, to))
    for (const text of ['', '{}', ...changed]) {
      expect(text).not.to.equal(good)
      expect(decodeRecord(text), text).to.equal(undefined)
    }
  })
})
