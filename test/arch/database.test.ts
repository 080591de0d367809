import { expect } from 'chai'
import fc from 'fast-check'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { databaseFiles } from '../../src/arch/database.js'
import type { DatabaseEntry } from '../../src/arch/database.js'
import { readDatabase } from '../../src/arch/read-database.js'
import { archive } from '../artifact/tar-builder.js'
import { failure } from '../artifact/collect.js'
import { sampleEntry } from './sample-entry.js'
import { buildPackages, contentOf, entryOf, pacmanFor, repoAdd } from './repo-lab.js'

describe('databases of a pacman repo', () => {
  describe('beside those of repo-add, for packages by makepkg', function () {
    this.timeout(180_000)
    let directory: string
    let entries: DatabaseEntry[]
    const ours = (): string => join(directory, 'ours')
    const theirs = (): string => join(directory, 'theirs')

    before(async () => {
      directory = mkdtempSync(join(tmpdir(), 'treeswap-database-'))
      chmodSync(directory, 0o755)
      const packages = buildPackages(directory)
      writeFileSync(`${packages.at(-1)}.sig`, randomBytes(566))
      repoAdd(theirs(), 'kitchen', packages)
      entries = await Promise.all(packages.map(entryOf))
      mkdirSync(ours())
      const { db, files } = await databaseFiles(entries)
      writeFileSync(join(ours(), 'kitchen.db'), db)
      writeFileSync(join(ours(), 'kitchen.files'), files)
    })
    after(() => rmSync(directory, { recursive: true, force: true }))

    for (const kind of ['db', 'files']) {
      it(`has the same bytes in every part of ${kind}`, () => {
        const expected = contentOf(join(theirs(), `kitchen.${kind}`), join(directory, `theirs-${kind}`))
        expect(Object.keys(expected)).to.have.length(kind === 'db' ? 4 : 8)
        expect(contentOf(join(ours(), `kitchen.${kind}`), join(directory, `ours-${kind}`))).to.deep.equal(expected)
      })
    }

    it('is read the same, whoever wrote it', () => {
      const read = (top: string) => readDatabase(readFileSync(join(top, 'kitchen.files')), 'kitchen.files')
      const [, plain, , signed] = read(ours())
      expect(read(ours())).to.deep.equal(read(theirs()))
      expect(plain?.version).to.equal('2:1.0.r3+gabc-1.1')
      expect(plain?.fields.get('DESC')).to.deep.equal(['Grüße aus der Küche – 日本 "quoted" 100% \\ & = more'])
      expect(plain?.files?.slice(0, 3)).to.deep.equal(['etc/', 'etc/.hidden', 'etc/fixture.conf'])
      expect(signed?.fields.get('PGPSIG')).to.deep.equal([entries.at(-1)?.signature?.toString('base64')])
    })

    it('shows the same to the real pacman', () => {
      const see = (name: string, server: string): string[] => {
        const pacman = pacmanFor(join(directory, name), 'kitchen', server)
        pacman('-Sy')
        pacman('-Fy')
        return [['-Ss'], ['-Ss', '日本'], ['-Si'], ['-Sg'], ['-Fl'], ['-F', 'libfixture.so.3']].map((args) =>
          pacman(...args),
        )
      }
      const [all, found, ...rest] = see('client-of-ours', ours())
      expect([all, found, ...rest]).to.deep.equal(see('client-of-theirs', theirs()))
      expect(all?.match(/^kitchen\//gm)).to.have.length(4)
      expect(found).to.match(/^kitchen\/fixture-rich 2:1\.0\.r3\+gabc-1\.1 \(fixtures kitchen\)\n/)
      expect(rest.join('')).to.include('usr/share/\u{1f600}\n').and.to.include('usr/lib/libfixture.so.3')
    })

    it('lets repo-add go on from it', () => {
      const copy = join(directory, 'gone-on')
      repoAdd(copy, 'kitchen', [join(theirs(), entries[0]!.file)])
      for (const kind of ['db', 'files']) {
        writeFileSync(join(copy, `kitchen.${kind}.tar.gz`), readFileSync(join(ours(), `kitchen.${kind}`)))
      }
      const expected = contentOf(join(ours(), 'kitchen.files'), join(directory, 'before'))
      execFileSync('repo-add', ['--quiet', join(copy, 'kitchen.db.tar.gz'), join(copy, entries[0]!.file)], {
        env: { ...process.env, LC_ALL: 'C.UTF-8' },
        stdio: 'pipe',
      })
      expect(contentOf(join(copy, 'kitchen.files'), join(directory, 'after'))).to.deep.equal(expected)
    })
  })

  it('are the same bytes for the same packages, in whatever order these come', async () => {
    const entries = ['b', 'a-b', 'a', 'a.b', 'B'].map((name) => sampleEntry({ name }))
    const { db, files } = await databaseFiles(entries)
    const again = await databaseFiles(entries.toReversed())
    expect(again.db.equals(db) && again.files.equals(files)).to.be.true
    expect(readDatabase(db, 'x.db').map(({ name }) => name)).to.deep.equal(['B', 'a', 'a-b', 'a.b', 'b'])
  })

  it('leave out what has no value, but a size of nothing', async () => {
    const [only] = readDatabase((await databaseFiles([sampleEntry({ name: 'a', installedSize: 0 })])).db, 'x.db')
    expect([...only!.fields.keys()]).to.deep.equal([
      ...['FILENAME', 'NAME', 'BASE', 'VERSION', 'CSIZE', 'ISIZE', 'SHA256SUM', 'ARCH', 'BUILDDATE'],
    ])
    expect(only!.fields.get('ISIZE')).to.deep.equal(['0'])
  })

  it('may be empty', async () => {
    const { db, files } = await databaseFiles([])
    expect([readDatabase(db, 'x.db'), readDatabase(files, 'x.files')]).to.deep.equal([[], []])
  })

  it('may hold texts of any size', async () => {
    const files = Array.from({ length: 5000 }, (_, index) => `usr/share/${'日本'.repeat(50)}${index}`)
    const { files: content } = await databaseFiles([sampleEntry({ name: 'a' }, files), sampleEntry({ name: 'b' })])
    expect(readDatabase(content, 'x.files').map((one) => one.files)).to.deep.equal([files, []])
  })

  it('refuse to list a package twice', async () => {
    const twice = [sampleEntry({ name: 'a', version: '1-1' }), sampleEntry({ name: 'a', version: '2-1' })]
    const error = await failure(() => databaseFiles(twice))
    expect(error.code).to.equal('PACKAGE_TWICE')
    expect(error.message).to.include('a-1-1-any.pkg.tar.zst and a-2-1-any.pkg.tar.zst')
  })

  it('carry any text, and names of any length, to bsdtar and to us', async function () {
    this.timeout(60_000)
    const text = fc
      .string({ unit: 'grapheme', minLength: 1 })
      .map((value) => value.replace(/[\p{Cc}\p{Z}\ufffd]/gu, ''))
      .filter((value) => value.length > 0)
    const scratch = mkdtempSync(join(tmpdir(), 'treeswap-database-'))
    let round = 0
    try {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 199 }),
          text,
          fc.array(text, { maxLength: 5 }),
          fc.uniqueArray(text),
          async (length, description, depends, files) => {
            const entry = sampleEntry({ name: 'n'.repeat(length), description, depends }, files)
            const { files: content } = await databaseFiles([entry, sampleEntry({ name: 'other' })])
            const [read, other] = readDatabase(content, 'x.files')
            expect(read).to.include({ name: 'n'.repeat(length) })
            expect(other).to.include({ name: 'other' })
            expect(read?.fields.get('DESC')).to.deep.equal([description])
            expect(read?.fields.get('DEPENDS') ?? []).to.deep.equal(depends)
            expect(read?.files).to.deep.equal(files)
            const path = join(scratch, String(round++))
            writeFileSync(path, content)
            const theirs = Object.keys(contentOf(path, `${path}.d`)).sort()
            const ours = [read!, other!].flatMap((one) => ['desc', 'files'].map((part) => `${one.name}-1-1/${part}`))
            expect(theirs).to.deep.equal(ours)
          },
        ),
        { numRuns: 40 },
      )
    } finally {
      rmSync(scratch, { recursive: true })
    }
  })

  it('are refused when they are none', async () => {
    const desc = '%FILENAME%\na.pkg.tar.zst\n\n%NAME%\na\n\n%VERSION%\n1-1\n\n'
    const dir = (name: string) => ({ name: `${name}/`, type: '5', mode: 0o755 })
    const { db: good } = await databaseFiles([sampleEntry({ name: 'a' })])
    const broken: Record<string, Buffer> = {
      'no gzip': Buffer.from('text'),
      'cut off': good.subarray(0, good.length - 20),
      'no tar': gzipSync('text'),
      'cut off within': gzipSync(gunzipSync(good).subarray(0, 1024)),
      'another directory': gzipSync(archive(dir('b-1-1'), { name: 'b-1-1/desc', content: desc })),
      'no name': gzipSync(archive(dir('a-1-1'), { name: 'a-1-1/desc', content: '%VERSION%\n1-1\n\n' })),
      'another file': gzipSync(archive(dir('a-1-1'), { name: 'a-1-1/desk', content: desc })),
      'files alone': gzipSync(archive(dir('a-1-1'), { name: 'a-1-1/files', content: '%FILES%\n' })),
    }
    for (const [what, content] of Object.entries(broken)) {
      const error = await failure(() => readDatabase(content, 'kitchen.db'))
      expect(error.code, what).to.equal('DATABASE_INVALID')
      expect(error.message, what).to.include('kitchen.db')
    }
    expect(readDatabase(gzipSync(archive(dir('a-1-1'), { name: 'a-1-1/desc', content: desc })), 'x')).to.have.length(1)
  })
})
