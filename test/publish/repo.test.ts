import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import { openDirectorySource } from '../../src/artifact/source.js'
import { parseReference } from '../../src/model/reference.js'
import { check } from '../../src/publish/check.js'
import { publish, rollback } from '../../src/publish/publish.js'
import type { Publication, PublishOptions } from '../../src/publish/publish.js'
import { readMarker } from '../../src/store/generations.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { pull } from '../../src/store/pull.js'
import { readState, writeState } from '../../src/store/state.js'
import { HostPacman, needsPacman } from '../lab/host-pacman.js'
import { pacmanPackage } from '../lab/pacman-package.js'
import type { PackageParts } from '../lab/pacman-package.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { failure, sha256 } from '../store/machine.js'
import { archiveRepo } from '../store/repo.js'

const day = { graceSeconds: 86_400, trial: false }

describe('publishing a pacman repo', function () {
  this.timeout(60_000)
  const directory = temporaryDirectory()
  let store: Store

  beforeEach(() => {
    store = openStore(join(directory(), 'store'), { create: true })
  })

  type Options = Parameters<typeof archiveRepo>[3]
  async function pulled(number: number, packages: Record<string, PackageParts>, options?: Options): Promise<void> {
    const artifacts = join(directory(), 'artifacts')
    await archiveRepo(artifacts, number, packages, options)
    await pull(store, openDirectorySource(`dir:${artifacts}`), 'lab', number, silent)
  }

  const put = (number: number, options: PublishOptions = day): Promise<Publication> =>
    publish(store, 'lab', number, options, silent)
  const top = (): string => join(store.pointer('lab'), 'os/x86_64')
  const served = (): string[] => readdirSync(top()).sort()
  const stamp = (file: string): number => statSync(join(top(), file)).mtimeMs / 1000
  let clients = 0
  const client = (...repos: string[]): HostPacman => {
    const place = join(directory(), `client-${++clients}`)
    mkdirSync(place)
    return new HostPacman(
      place,
      (repos.length === 0 ? ['lab'] : repos).map((name) => ({ name, server: `file://${top()}` })),
    )
  }
  /** As if every publish so far had been that long ago. */
  const longAgo = (seconds: number): void => {
    const state = readState(store, 'lab')
    const at = new Date(Date.now() - seconds * 1000).toISOString()
    writeState(store, { ...state, history: state.history.map((entry) => ({ ...entry, at })) })
    for (const { serial } of state.history) {
      const file = join(store.generation('lab', serial), '.treeswap.json')
      const marker = readMarker(store, 'lab', serial)
      if (marker === undefined) continue
      const kept = Object.entries(marker.kept ?? {}).map(([path, one]) => [
        path,
        { ...one, since: one.since - seconds },
      ])
      writeFileSync(file, JSON.stringify({ ...marker, kept: Object.fromEntries(kept) as object }))
    }
  }

  it('serves packages as they were archived, with databases that pacman installs from', async function () {
    needsPacman.call(this)
    await pulled(1, { one: {}, two: { depends: ['one'], version: '1:2.0+x-1.1', architecture: 'x86_64' } })
    expect(await put(1)).to.deep.include({ build: 1, serial: 1, already: false, copies: 0 })
    expect(served()).to.deep.equal([
      'lab.db',
      'lab.files',
      'one-1.0-1-any.pkg.tar.zst',
      'two-1:2.0+x-1.1-x86_64.pkg.tar.zst',
    ])
    const { bytes } = pacmanPackage('one')
    expect(readFileSync(join(top(), 'one-1.0-1-any.pkg.tar.zst'))).to.deep.equal(bytes)
    expect(statSync(join(top(), 'one-1.0-1-any.pkg.tar.zst')).ino).to.equal(statSync(store.object(sha256(bytes))).ino)
    const machine = client()
    expect(machine.run('-Syu', 'two')).to.include({ exitCode: 0 })
    expect(machine.installed()).to.deep.equal(['one 1.0-1', 'two 1:2.0+x-1.1'])
    expect(machine.run('-Fy').exitCode).to.equal(0)
    expect(machine.run('-F', 'usr/share/two/content').output).to.include('lab/two')
    expect(await check(store, silent)).to.deep.equal([])
  })

  it('goes back and forward for real clients, by ever newer stamps', async function () {
    needsPacman.call(this)
    await pulled(1, { one: {} })
    await pulled(2, { one: { version: '2.0-1' } }, { base: 1 })
    const machine = client()
    const stamps: number[] = []
    const seen: string[][] = []
    for (const number of [1, 2, 1, 2]) {
      await put(number)
      stamps.push(stamp('lab.db'))
      expect(stamp('lab.files')).to.equal(stamp('lab.db'))
      expect(machine.run('-Syuu', 'one').exitCode).to.equal(0)
      seen.push(machine.installed())
    }
    expect(seen).to.deep.equal([['one 1.0-1'], ['one 2.0-1'], ['one 1.0-1'], ['one 2.0-1']])
    expect(stamps).to.deep.equal([...new Set(stamps)].sort((a, b) => a - b))
  })

  it('gives the same database for the same packages, but a newer time', async () => {
    await pulled(1, { one: {} })
    await pulled(2, { one: {} }, { base: 1 })
    await put(1)
    const before = { bytes: readFileSync(join(top(), 'lab.db')), stamp: stamp('lab.db') }
    await put(2)
    expect(readFileSync(join(top(), 'lab.db'))).to.deep.equal(before.bytes)
    expect(stamp('lab.db')).to.be.greaterThan(before.stamp)
  })

  it('leaves a build alone that is published already, whatever URL it has by now', async () => {
    await pulled(1, { one: {} })
    await put(1)
    expect(await put(1, { ...day, http: 'http://a' })).to.deep.include({ serial: 1, already: true })
  })

  it('keeps debug packages to a database of their own, which stays when the last one is gone', async function () {
    needsPacman.call(this)
    await pulled(1, { one: {}, 'one-debug': { type: 'debug', base: 'one' } })
    await pulled(2, { one: {} }, { base: 1 })
    await put(1)
    const machine = client('lab', 'lab-debug')
    expect(machine.run('-Sy').exitCode).to.equal(0)
    expect(machine.run('-Sl').output).to.equal('lab one 1.0-1\nlab-debug one-debug 1.0-1\n')
    await put(2)
    expect(machine.run('-Sy').exitCode).to.equal(0)
    expect(machine.run('-Sl').output).to.equal('lab one 1.0-1\n')
    expect(await check(store, silent)).to.deep.equal([])
  })

  it('serves superseded packages for the grace time, whatever is published meanwhile', async () => {
    await pulled(1, { one: {}, gone: {} })
    await pulled(2, { one: { version: '2.0-1' } })
    await pulled(3, { one: { version: '3.0-1' } })
    const files = (): string[] => served().filter((name) => name.includes('.pkg.tar'))
    await put(1)
    await put(2)
    expect(files()).to.deep.equal([
      'gone-1.0-1-any.pkg.tar.zst',
      'one-1.0-1-any.pkg.tar.zst',
      'one-2.0-1-any.pkg.tar.zst',
    ])
    expect(await check(store, silent)).to.deep.equal([])
    expect((await put(2)).already).to.equal(true)
    longAgo(50_000)
    await put(3)
    expect(files()).to.have.length(4)
    await rollback(store, parseReference('lab@2'), day, silent)
    expect(files()).to.have.length(4)
    longAgo(50_000)
    await put(3)
    expect(files(), 'what build 1 had was superseded 100,000 seconds ago').to.deep.equal([
      'one-2.0-1-any.pkg.tar.zst',
      'one-3.0-1-any.pkg.tar.zst',
    ])
    longAgo(100_000)
    rmSync(store.state('lab'))
    await pulled(4, { one: { version: '3.0-1' } })
    await put(4)
    expect(files()).to.deep.equal(['one-3.0-1-any.pkg.tar.zst'])
    expect(await check(store, silent)).to.deep.equal([])
  })

  it('serves superseded packages no longer than that, though the clock was far ahead for a while', async () => {
    for (const number of [1, 2, 3, 4]) await pulled(number, { one: { version: `${number}.0-1` } })
    await put(1)
    await put(2)
    longAgo(-1_000_000_000)
    await put(3)
    expect(served()).to.include('one-1.0-1-any.pkg.tar.zst')
    longAgo(100_000)
    await put(4)
    const files = served().filter((name) => name.includes('.pkg.tar'))
    expect(files).to.deep.equal(['one-3.0-1-any.pkg.tar.zst', 'one-4.0-1-any.pkg.tar.zst'])
  })

  it('finds what was superseded, and got lost or turned', async () => {
    await pulled(1, { one: {} })
    await pulled(2, { one: { version: '2.0-1' } })
    await put(1)
    await put(2)
    rmSync(join(top(), 'one-1.0-1-any.pkg.tar.zst'))
    expect((await check(store, silent)).map(({ kind, path }) => [kind, path])).to.deep.equal([
      ['missing', 'published/.generations/lab.2/os/x86_64/one-1.0-1-any.pkg.tar.zst'],
    ])
    expect((await put(2)).serial).to.equal(3)
    expect(served()).to.include('one-1.0-1-any.pkg.tar.zst')
  })

  it('keeps the packages of a generation that a power cut took back', async () => {
    await pulled(1, { one: {} })
    await pulled(2, { one: { version: '2.0-1' } })
    await pulled(3, { one: { version: '3.0-1' } })
    await put(1)
    await put(2)
    rmSync(store.pointer('lab'))
    symlinkSync('.generations/lab.1', store.pointer('lab'))
    await put(3)
    expect(served()).to.include.members(['one-1.0-1-any.pkg.tar.zst', 'one-2.0-1-any.pkg.tar.zst'])
  })

  it('reads each package once', async () => {
    await pulled(1, { one: {} })
    await pulled(2, { one: {}, two: {} }, { base: 1 })
    await put(1)
    const cache = join(store.root, 'cache/packages')
    const [name = ''] = readdirSync(cache)
    const text = readFileSync(join(cache, name), 'utf8')
    const other = text.slice(65).replace('A package for tests', 'Told by the cache')
    writeFileSync(join(cache, name), `${sha256(other)}\n${other}`)
    await put(2)
    const db = (): string => pacmanList('lab.db')
    expect(db()).to.include('Told by the cache')
    for (const damage of ['', text.slice(0, 200), `${sha256('{}')}\n{}`, text.replace('tests', 'pests')]) {
      writeFileSync(join(cache, name), damage)
      await put(readMarker(store, 'lab', readState(store, 'lab').serial)?.build === 1 ? 2 : 1)
      expect(db()).to.include('A package for tests')
      expect(readFileSync(join(cache, name), 'utf8')).to.equal(text)
    }
    expect(await check(store, silent)).to.deep.equal([])
  })

  const pacmanList = (file: string): string => gunzipSync(readFileSync(join(top(), file))).toString('latin1')

  const one = pacmanPackage('one').bytes
  const wrong = 'one-1.0-2-any.pkg.tar.zst'
  for (const [what, packages, options, code, named] of [
    ['whose file is called otherwise', {}, { files: { [wrong]: one } }, 'PACKAGE_MISNAMED', 'one-1.0-1-any'],
    ['for another architecture', { one: { architecture: 'aarch64' } }, {}, 'PACKAGE_ARCHITECTURE', 'aarch64'],
    ['that is none', {}, { files: { 'one-1.0-1-any.pkg.tar.zst': Buffer.from('x') } }, 'PACKAGE_INVALID', 'lab@1'],
  ] as [string, Record<string, PackageParts>, Options, string, string][]) {
    it(`refuses a package ${what}, and clients notice nothing`, async () => {
      await pulled(1, packages, options)
      const error = await failure(put(1))
      expect(error).to.have.property('code', code)
      expect(error.message).to.include(named)
      expect(readdirSync(join(store.root, 'published'))).to.deep.equal(['.generations'])
    })
  }

  it('says what is lost', async () => {
    await pulled(1, { one: {} })
    rmSync(store.object(sha256(one)))
    expect(await failure(put(1))).to.have.property('code', 'OBJECT_MISSING')
  })
})
