import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openDirectorySource } from '../../src/artifact/source.js'
import { objectMtime } from '../../src/model/object-key.js'
import type { Context } from '../../src/model/report.js'
import { listBuilds, readBuild, readManifestOf } from '../../src/store/builds.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { withTreeLock } from '../../src/store/lock.js'
import { pull } from '../../src/store/pull.js'
import type { Pulled } from '../../src/store/pull.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import type { PackageParts } from '../lab/pacman-package.js'
import { archive, failure, sha256 } from './machine.js'
import { archiveRepo } from './repo.js'

const large = 'x'.repeat(3_000_000)

describe('pull', () => {
  const directory = temporaryDirectory()
  const artifacts = (): string => join(directory(), 'artifacts')
  const newStore = (name = 'store'): Store => openStore(join(directory(), name), { create: true })
  const take = (store: Store, number: number, tree = 'box', context: Context = silent): Promise<Pulled> =>
    pull(store, openDirectorySource(`dir:${artifacts()}`), tree, number, context)

  it('keeps every file once, by its content, with the time that stands for it', async () => {
    const store = newStore()
    await archive(artifacts(), 1, { packages: { 'a/same': 'equal', 'a/other': 'equal', 'a/large': large } })
    const { already, newObjects } = await take(store, 1)

    expect({ already, newObjects }).to.deep.equal({ already: false, newObjects: objects(store).length })
    for (const key of objects(store)) {
      expect(sha256(readFileSync(store.object(key)))).to.equal(key.slice(0, 64))
      expect(statSync(store.object(key)).mtimeMs).to.equal(objectMtime(key) * 1000)
      expect(statSync(store.object(key)).mode & 0o777).to.equal(key.endsWith('x') ? 0o755 : 0o644)
    }
    expect(objects(store)).to.include.members([sha256('equal'), sha256(large)])
  })

  it('records the build as it was archived', async () => {
    const store = newStore()
    await archive(artifacts(), 1)
    await take(store, 1)
    expect(readFileSync(join(store.build('box', 1), 'build.json'))).to.deep.equal(
      readFileSync(join(artifacts(), 'box/1/build.json')),
    )
    expect(listBuilds(store, 'box')).to.deep.equal([1])
    expect(readdirSync(join(store.root, 'incoming'))).to.deep.equal([])
  })

  it('does nothing for a build that it has', async () => {
    const store = newStore()
    await archive(artifacts(), 1)
    await take(store, 1)
    expect(await take(store, 1)).to.deep.include({ already: true, newObjects: 0 })
  })

  it('fetches one package where one package changed', async () => {
    const store = newStore()
    const packages = { 'a/one': large, 'a/two': large.replaceAll('x', 'y'), 'a/three': 'small' }
    await archive(artifacts(), 1, { packages })
    await archive(artifacts(), 2, { packages: { ...packages, 'a/three': 'z'.repeat(100_000) } }, { base: 1 })
    const first = await take(store, 1)
    const second = await take(store, 2)
    expect(first.fetchedBytes).to.be.greaterThan(6_000_000)
    expect(second.fetchedBytes).to.be.within(100_000, 120_000)
    expect(second.newObjects).to.equal(2) // the package and Packages
  })

  it('goes to the builds that carry what an empty store lacks', async () => {
    const store = newStore()
    await archive(artifacts(), 1, { packages: { 'a/one': large, 'a/two': 'two' } })
    await archive(artifacts(), 2, { packages: { 'a/one': large, 'a/two': 'more' } }, { base: 1 })
    await archive(artifacts(), 3, { packages: { 'a/one': large, 'a/two': 'more', 'a/three': '3' } }, { base: 2 })
    await take(store, 3)
    expect(listBuilds(store, 'box')).to.deep.equal([3])
    expect(objects(store)).to.include.members([sha256(large), sha256('more'), sha256('3')])
    expect(objects(store)).not.to.include(sha256('two'))
  })

  for (const [size, content] of [
    ['small', 'equal'],
    ['large', large],
  ] as const) {
    it(`takes ${size} content that it needs at two paths, from two builds, once`, async () => {
      await archive(artifacts(), 1, { packages: { 'a/one': content } })
      await archive(artifacts(), 2, { packages: { 'a/one': content, 'a/two': content, 'a/three': '3' } }, { base: 1 })
      const store = newStore()
      await take(store, 2)
      expect(objects(store)).to.include.members([sha256(content), sha256('3')])
    })
  }

  it('says what to do where a build that it relies on is gone, and takes nothing', async () => {
    const store = newStore()
    await archive(artifacts(), 1, { packages: { 'a/one': 'one' } })
    await archive(artifacts(), 2, { packages: { 'a/one': 'one', 'a/two': 'two' } }, { base: 1 })
    rmSync(join(artifacts(), 'box/1'), { recursive: true })
    const error = await failure(take(store, 2))
    expect(error).to.deep.include({ code: 'ORIGIN_MISSING' })
    expect(error.hint).to.contain('--full')
    expect(objects(store)).to.deep.equal([])
    expect(listBuilds(store, 'box')).to.deep.equal([])
  })

  it('refuses another build of the same number, and keeps the first', async () => {
    const store = newStore()
    await archive(artifacts(), 1, { world: 'a/b\n' })
    await take(store, 1)
    const before = readFileSync(join(store.build('box', 1), 'build.json'))
    rmSync(join(artifacts(), 'box/1'), { recursive: true })
    await archive(artifacts(), 1, { world: 'c/d\n' })
    expect(await failure(take(store, 1))).to.have.property('code', 'BUILD_CHANGED')
    expect(readFileSync(join(store.build('box', 1), 'build.json'))).to.deep.equal(before)
  })

  for (const part of ['packages.tar', 'gentoo.tar.zst', 'gentoo.manifest.zst']) {
    it(`takes nothing of a build whose ${part} is damaged, and all of it after it was mended`, async () => {
      const store = newStore()
      await archive(artifacts(), 1)
      const file = join(artifacts(), 'box/1', part)
      const good = readFileSync(file)
      const bad = Buffer.from(good)
      bad.writeUInt8(bad.readUInt8(bad.length >> 1) ^ 1, bad.length >> 1)
      rmSync(file)
      writeFileSync(file, bad)
      const error = await failure(take(store, 1))
      expect(error.code).to.be.oneOf(['PACK_DAMAGED', 'ARCHIVE_REFUSED'])
      expect(listBuilds(store, 'box')).to.deep.equal([])
      expect(objects(store)).to.deep.equal([])
      expect(readdirSync(join(store.root, 'manifests'))).to.deep.equal([])

      writeFileSync(file, good)
      expect((await take(store, 1)).already).to.equal(false)
    })
  }

  it('refuses a build of another tree that lies in the place', async () => {
    await archive(artifacts(), 1, {}, { tree: 'other' })
    renameSync(join(artifacts(), 'other'), join(artifacts(), 'box'))
    const error = await failure(take(newStore(), 1))
    expect(error.code).to.be.a('string')
    expect(error.message).to.contain('other')
  })

  it('refuses a tree name that would leave the store', async () => {
    expect(await failure(take(newStore(), 1, '../box'))).to.have.property('code', 'NAME_INVALID')
  })

  it('brings back what was lost of a build that it has', async () => {
    const store = newStore()
    const { packs } = await archive(artifacts(), 1, { packages: { 'a/one': 'precious' } })
    await take(store, 1)
    unlinkSync(store.object(sha256('precious')))
    writeFileSync(store.manifest(packs[0]!.manifest.sha256), 'damaged')
    expect(await take(store, 1)).to.deep.include({ already: true, newObjects: 1 })
    expect(readFileSync(store.object(sha256('precious')), 'utf8')).to.equal('precious')
    for (const pack of readBuild(store, 'box', 1).packs) await readManifestOf(store, pack)
  })

  it('removes what a killed pull left, and is not confused by it', async () => {
    const store = newStore()
    await archive(artifacts(), 1)
    mkdirSync(join(store.incoming('box'), 'objects'), { recursive: true })
    writeFileSync(join(store.incoming('box'), 'objects', sha256('hello 1')), 'half')
    await take(store, 1)
    expect(readFileSync(store.object(sha256('hello 1')), 'utf8')).to.equal('hello 1')
    expect(readdirSync(join(store.root, 'incoming'))).to.deep.equal([])
  })

  it('works for two trees at once that have most of their content in common', async () => {
    const store = newStore()
    const packages = Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`a/p${n}`, `content ${n}`]))
    await archive(artifacts(), 1, { packages })
    await archive(artifacts(), 1, { packages, world: 'other\n' }, { tree: 'other' })
    await Promise.all([take(store, 1), take(store, 1, 'other')])
    for (const key of objects(store)) expect(sha256(readFileSync(store.object(key)))).to.equal(key.slice(0, 64))
    expect([listBuilds(store, 'box'), listBuilds(store, 'other')]).to.deep.equal([[1], [1]])
  })

  it('is not held up by a publish of a tree whose name looks like its lock', async () => {
    await archive(artifacts(), 1)
    const store = newStore()
    expect((await withTreeLock(store, 'box.pull', silent.signal, () => take(store, 1))).already).to.equal(false)
  })

  it('works in a store of which a backup left the empty directories out', async () => {
    await archive(artifacts(), 1)
    newStore()
    for (const name of ['objects', 'manifests', 'builds', 'trees', 'incoming', 'published']) {
      rmSync(join(directory(), 'store', name), { recursive: true })
    }
    const store = newStore()
    await take(store, 1)
    expect(listBuilds(store, 'box')).to.deep.equal([1])
  })

  it('replaces what is left of a record that somebody removed by hand', async () => {
    await archive(artifacts(), 1)
    const store = newStore()
    mkdirSync(store.build('box', 1), { recursive: true })
    writeFileSync(join(store.build('box', 1), 'build.log.zst'), '')
    await take(store, 1)
    expect(readdirSync(store.build('box', 1)))
      .to.include('build.json')
      .and.not.to.include('build.log.zst')
  })

  it('refuses a manifest that tells another size of what an earlier build carries', async () => {
    await archive(artifacts(), 1, { packages: { 'a/one': 'one' } })
    const { packs } = await archive(artifacts(), 2, { packages: { 'a/one': 'one', 'a/two': '2' } }, { base: 1 })
    const { manifest } = packs.find(({ role }) => role === 'packages')!
    const place = join(artifacts(), 'box/2')
    const text = zstdDecompress(readFileSync(join(place, manifest.file))).replace(/"size":3\b/, '"size":4')
    const bytes = zstdCompress(text)
    const record = readFileSync(join(place, 'build.json'), 'utf8')
      .replace(manifest.sha256, sha256(bytes))
      .replace(new RegExp(`(${manifest.file}",\\s*"size": )${manifest.size}`), `$1${bytes.length}`)
    for (const [name, content] of [
      [manifest.file, bytes],
      ['build.json', record],
    ] as const) {
      rmSync(join(place, name))
      writeFileSync(join(place, name), content)
    }
    const store = newStore()
    const error = await failure(take(store, 2))
    expect(error).to.have.property('code', 'PACK_DAMAGED')
    expect(error.message).to.contain('a/one-1.gpkg.tar has 4 bytes')
    await take(store, 1)
    expect(await failure(take(store, 2))).to.have.property('code', 'PACK_DAMAGED')
    expect(listBuilds(store, 'box')).to.deep.equal([1])
  })

  it('leaves the store as it was when it is stopped', async () => {
    const store = newStore()
    await archive(artifacts(), 1)
    const stop = new AbortController()
    const context = { report: { ...silent.report, step: () => stop.abort() }, signal: stop.signal }
    expect(await failure(take(store, 1, 'box', context))).to.have.property('code', 'ABORTED')
    expect(objects(store)).to.deep.equal([])
    expect(readdirSync(join(store.root, 'incoming'))).to.deep.equal([])
  })

  describe('of a pacman repo', () => {
    const one = (content: string): PackageParts => ({ content })

    it('refuses a package file name that any build had with other bytes', async () => {
      const store = newStore()
      await archiveRepo(artifacts(), 1, { one: one('1'), two: {} }, { tree: 'box' })
      await archiveRepo(artifacts(), 2, { two: {} }, { tree: 'box', base: 1 })
      await archiveRepo(artifacts(), 3, { one: one('3'), two: {} }, { tree: 'box', base: 2 })
      await take(store, 1)
      await take(store, 2)
      const error = await failure(take(store, 3))
      expect(error).to.have.property('code', 'PACKAGE_CHANGED')
      expect(error.message).to.include('one-1.0-1-any.pkg.tar.zst of box@3').and.to.include('box@1')
      expect(error.hint).to.include('pkgrel')
      expect(listBuilds(store, 'box')).to.deep.equal([1, 2])
      await archiveRepo(artifacts(), 4, { one: one('1'), two: {} }, { tree: 'box', base: 2 })
      await take(store, 4)
      await archiveRepo(artifacts(), 5, { one: { version: '1.0-1.1', content: '3' } }, { tree: 'box' })
      await take(store, 5)
    })

    it('does not wait for an earlier build to be mended', async () => {
      const store = newStore()
      await archiveRepo(artifacts(), 1, { one: one('1') }, { tree: 'box' })
      await archiveRepo(artifacts(), 2, { one: one('1') }, { tree: 'box', base: 1 })
      await take(store, 1)
      for (const { manifest } of readBuild(store, 'box', 1).packs) rmSync(store.manifest(manifest.sha256))
      const warnings: string[] = []
      const report = { ...silent.report, warn: (text: string) => warnings.push(text) }
      await take(store, 2, 'box', { ...silent, report })
      expect(warnings.join()).to.include('box@1')
    })

    it('lets machines have another package under an old name', async () => {
      const store = newStore()
      await archive(artifacts(), 1, { packages: { 'a/one': '1' } })
      await archive(artifacts(), 2, { packages: { 'a/one': '2' } })
      await take(store, 1)
      expect((await take(store, 2)).already).to.equal(false)
    })
  })
})

function zstdDecompress(bytes: Buffer): string {
  return execFileSync('zstd', ['-dcq'], { input: bytes }).toString()
}

function zstdCompress(text: string): Buffer {
  return execFileSync('zstd', ['-cq'], { input: text })
}

function objects(store: Store): string[] {
  return readdirSync(join(store.root, 'objects'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.includes('/'))
    .map((path) => path.slice(3))
}
