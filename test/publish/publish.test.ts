import { spawn } from 'node:child_process'
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect } from 'chai'
import { openDirectorySource } from '../../src/artifact/source.js'
import { parsePackages } from '../../src/model/packages-index.js'
import { parseReference } from '../../src/model/reference.js'
import { publish, publishReference, rollback } from '../../src/publish/publish.js'
import type { Publication, PublishOptions } from '../../src/publish/publish.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { pull } from '../../src/store/pull.js'
import { publishedNumber } from '../../src/store/references.js'
import { readState, writeState } from '../../src/store/state.js'
import type { TreeState } from '../../src/store/state.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { archive, contentOf, failure, sha256 } from '../store/machine.js'
import type { Parts } from '../store/machine.js'

const day = { graceSeconds: 86_400 }

describe('publish', () => {
  const directory = temporaryDirectory()
  let store: Store

  beforeEach(() => {
    store = openStore(join(directory(), 'store'), { create: true })
  })

  async function pulled(number: number, parts?: Parts): Promise<void> {
    const artifacts = join(directory(), 'artifacts')
    await archive(artifacts, number, parts)
    await pull(store, openDirectorySource(`dir:${artifacts}`), 'box', number, silent)
  }

  const put = (number: number, options: PublishOptions = day): Promise<Publication> =>
    publish(store, 'box', number, options, silent)
  const served = (path = ''): string => join(store.pointer('box'), path)
  const generations = (): string[] => readdirSync(join(store.root, 'published/.generations'))
  const stamp = (path: string): number => statSync(served(path)).mtimeMs / 1000

  const age = (name: string): void => {
    const longAgo = Date.now() / 1000 - 10 * 86_400
    utimesSync(join(store.root, 'published/.generations', name), longAgo, longAgo)
  }

  it('serves what the build archived, byte for byte, as links into the store', async () => {
    await pulled(1, { packages: { 'a/one': 'one' }, repo: { 'a/one/one-1.ebuild': 'EAPI=8\n' }, world: 'a/one\n' })
    expect(await put(1)).to.deep.include({ build: 1, serial: 1, already: false, copies: 0 })
    expect(contentOf(served())).to.deep.equal({
      '.binpkgs/a/one-1.gpkg.tar': sha256('one'),
      '.profile/etc/portage/make.conf': sha256('USE=""\n'),
      '.profile/var/lib/portage/world': sha256('a/one\n'),
      '.profile/var/lib/portage/world_sets': sha256(''),
      'gentoo/a/one/one-1.ebuild': sha256('EAPI=8\n'),
      'gentoo/metadata/layout.conf': sha256('masters =\n'),
      'gentoo/profiles/repo_name': sha256('gentoo\n'),
    })
    expect(statSync(served('.binpkgs/a/one-1.gpkg.tar')).ino).to.equal(statSync(store.object(sha256('one'))).ino)
  })

  it('can be read by servers, whatever the umask was', async () => {
    process.umask(0o077)
    store = openStore(join(directory(), 'strict'), { create: true })
    await pulled(1)
    await put(1)
    for (const path of ['', 'gentoo', 'gentoo/profiles']) expect(statSync(served(path)).mode & 0o777).to.equal(0o755)
    for (const path of ['gentoo/profiles/repo_name', '.binpkgs/Packages', 'gentoo/metadata/timestamp.chk']) {
      expect(statSync(served(path)).mode & 0o777).to.equal(0o644)
    }
  })

  it('names its own immutable generation in the index', async () => {
    await pulled(1)
    await put(1, { ...day, http: 'http://pkgs.example.org:8080/' })
    const text = readFileSync(served('.binpkgs/Packages'), 'utf8')
    expect(gunzipSync(readFileSync(served('.binpkgs/Packages.gz'))).toString()).to.equal(text)
    const { header, stanzas } = parsePackages(text, 'test')
    expect(header.get('URI')).to.equal('http://pkgs.example.org:8080/generations/box/1/')
    expect(stanzas[0]?.get('MTIME')).to.equal(String(stamp(`.binpkgs/${stanzas[0]?.get('PATH') ?? ''}`)))
  })

  it('leaves a build alone that is published already', async () => {
    await pulled(1)
    await put(1)
    expect(await put(1)).to.deep.include({ serial: 1, already: true })
    expect(generations()).to.deep.equal(['box.1'])
  })

  it('publishes a build anew for another URL', async () => {
    await pulled(1)
    await put(1)
    expect(await put(1, { ...day, http: 'http://a' })).to.deep.include({ serial: 2, already: false })
  })

  for (const [what, harm] of [
    ['a file was lost', () => rmSync(served('.profile/var/lib/portage/world'))],
    [
      'a file was replaced',
      () => {
        rmSync(served('gentoo/profiles/repo_name'))
        writeFileSync(served('gentoo/profiles/repo_name'), 'gentuu\n')
      },
    ],
    ['the index was edited', () => writeFileSync(served('.binpkgs/Packages'), 'TIMESTAMP: 99\n')],
    ['the whole generation is gone', () => rmSync(realpathSync(served()), { recursive: true })],
  ] as [string, () => void][]) {
    it(`publishes a build anew of whose generation ${what}`, async () => {
      await pulled(1)
      await put(1)
      const before = contentOf(served())
      harm()
      expect(await put(1)).to.deep.include({ serial: 2, already: false })
      expect(contentOf(served())).to.deep.equal(before)
    })
  }

  it('goes back and forward with the same content and ever newer stamps', async () => {
    await pulled(1, { world: 'a/b\n', repo: { 'a/x': 'aaa' } })
    await pulled(2, { world: 'b/c\n', repo: { 'a/x': 'bbb' } })
    const seen: { content: Record<string, string>; stamps: number[]; build: number | undefined }[] = []
    const look = (): void => {
      const stamps = ['.binpkgs/Packages', '.binpkgs/Packages.gz', 'gentoo/metadata/timestamp.chk'].map(stamp)
      seen.push({ content: contentOf(served()), stamps, build: publishedNumber(store, 'box') })
    }
    await put(1)
    look()
    await put(2)
    look()
    for (let turn = 0; turn < 2; turn++) {
      await rollback(store, parseReference('box'), day, silent)
      look()
    }
    expect(seen.map(({ build }) => build)).to.deep.equal([1, 2, 1, 2])
    expect(seen[2]!.content).to.deep.equal(seen[0]!.content)
    expect(seen[3]!.content).to.deep.equal(seen[1]!.content)
    expect(seen[1]!.content).not.to.deep.equal(seen[0]!.content)
    for (const file of [0, 1, 2]) {
      const stamps = seen.map((look) => look.stamps[file]!)
      expect(stamps).to.deep.equal([...new Set(stamps)].sort((a, b) => a - b))
    }
  })

  it('gives two contents of equal size different times at one path', async () => {
    await pulled(1, { repo: { 'a/x': 'aaa' } })
    await pulled(2, { repo: { 'a/x': 'bbb' } })
    await put(1)
    const first = stamp('gentoo/a/x')
    await put(2)
    expect(stamp('gentoo/a/x')).not.to.equal(first)
  })

  it('keeps an old generation for the grace time, and never removes the one it leads to', async () => {
    await pulled(1)
    await pulled(2, { world: 'x/y\n' })
    await put(1)
    expect((await put(2)).removedGenerations).to.deep.equal([])
    expect(generations()).to.deep.equal(['box.1', 'box.2'])
    const state = readState(store, 'box')
    const longAgo = new Date(Date.now() - 10 * 86_400_000).toISOString()
    writeState(store, { ...state, history: state.history.map((entry) => ({ ...entry, at: longAgo })) })
    expect((await put(2)).removedGenerations).to.deep.equal([1])
    expect(generations()).to.deep.equal(['box.2'])
  })

  it('counts the grace time from when a generation was replaced, not from when it was made', async () => {
    await pulled(1)
    await pulled(2, { world: 'x/y\n' })
    await put(1)
    const state = readState(store, 'box')
    writeState(store, { ...state, history: [{ serial: 1, build: 1, at: '2020-01-01T00:00:00.000Z' }] })
    expect((await put(2)).removedGenerations).to.deep.equal([])
  })

  it('removes a generation that was replaced while the clock was far ahead', async () => {
    for (const [number, world] of ['x/y\n', 'y/z\n', 'z/x\n'].entries()) await pulled(number + 1, { world })
    await put(1)
    await put(2)
    const state = readState(store, 'box')
    const [first, second] = state.history
    writeState(store, { ...state, history: [first!, { ...second!, at: '2099-01-01T00:00:00.000Z' }] })
    expect((await put(2)).removedGenerations, 'nobody knows since when it is out of reach').to.deep.equal([])
    expect((await put(3)).removedGenerations).to.deep.equal([])
    const after = readState(store, 'box')
    const longAgo = new Date(Date.now() - 10 * 86_400_000).toISOString()
    writeState(store, {
      ...after,
      history: after.history.map((one) => (one.serial === 3 ? { ...one, at: longAgo } : one)),
    })
    expect((await put(3)).removedGenerations).to.deep.equal([1, 2])
  })

  it('keeps a generation that a process is inside of, until it has left', async () => {
    await pulled(1)
    await pulled(2, { world: 'x/y\n' })
    await put(1)
    const reader = spawn('sleep', ['60'], { cwd: realpathSync(served('gentoo/profiles')) })
    try {
      expect((await put(2, { graceSeconds: 0 })).removedGenerations).to.deep.equal([])
    } finally {
      const left = new Promise((resolve) => reader.once('close', resolve))
      reader.kill()
      await left
    }
    expect((await put(2, { graceSeconds: 0 })).removedGenerations).to.deep.equal([1])
  })

  it('removes what a killed publish left, and never gives its serial again', async () => {
    await pulled(1)
    await pulled(2, { world: 'x/y\n' })
    await put(1)
    const left = join(store.root, 'published/.generations')
    writeFileSync(join(store.root, 'published/.box.tmp'), '')
    for (const name of ['.box.8.partial', 'box.7']) mkdirSync(join(left, name))
    age('box.7')
    expect(await put(2)).to.deep.include({ serial: 9, removedGenerations: [7] })
    expect(generations()).to.deep.equal(['box.1', 'box.9'])
    expect(readdirSync(join(store.root, 'published'))).to.deep.equal(['.generations', 'box'])
  })

  it('keeps a whole generation beyond the pointer for the grace time: clients may be inside', async () => {
    await pulled(1)
    await pulled(2, { world: 'x/y\n' })
    await put(1)
    await put(2)
    rmSync(served())
    symlinkSync('.generations/box.1', served()) // as after a power cut
    expect(await put(1)).to.deep.include({ already: true, removedGenerations: [] })
    expect(await put(2)).to.deep.include({ serial: 3, removedGenerations: [] })
    expect(generations()).to.deep.equal(['box.1', 'box.2', 'box.3'])
  })

  it('gives newer stamps after a power cut took the pointer and the generation back', async () => {
    await pulled(1)
    await pulled(2, { world: 'x/y\n', repo: { 'a/x': 'x' } })
    await put(1)
    const before = readFileSync(store.state('box'), 'utf8')
    const link = '.generations/box.1'
    await put(2)
    const seen = readState(store, 'box')
    rmSync(served())
    symlinkSync(link, served())
    rmSync(store.generation('box', 2), { recursive: true })
    // what was durable before the generation was begun
    const { history } = JSON.parse(before) as TreeState
    writeState(store, { ...seen, history })
    await pulled(3, { world: 'y/z\n', repo: { 'a/x': 'y' } })
    await put(3)
    const { stamps } = readState(store, 'box')
    for (const [path, { time }] of Object.entries(seen.stamps)) {
      expect(stamps[path]?.time, path).to.be.greaterThan(time)
    }
  })

  it('notes its stamps before it shows them to anybody', async () => {
    await pulled(1)
    const stop = new AbortController()
    const context = { report: { ...silent.report, step: () => stop.abort() }, signal: stop.signal }
    await failure(publish(store, 'box', 1, day, context))
    expect(Object.keys(readState(store, 'box').stamps)).to.have.members([
      '.binpkgs/Packages',
      'gentoo/metadata/timestamp.chk',
    ])
  })

  it('goes on as before where nothing else is said: same URL, same grace time', async () => {
    await pulled(1)
    await pulled(2, { world: 'x/y\n' })
    await put(1, { http: 'http://pkgs.example.org/', graceSeconds: 7 })
    await put(2, {})
    const uri = (): string | undefined =>
      parsePackages(readFileSync(served('.binpkgs/Packages'), 'utf8'), 'test').header.get('URI')
    expect(uri()).to.equal('http://pkgs.example.org/generations/box/2/')
    rmSync(store.state('box'))
    await rollback(store, parseReference('box'), {}, silent)
    expect(uri()).to.equal('http://pkgs.example.org/generations/box/3/')
    expect(readState(store, 'box').settings).to.deep.equal({ http: 'http://pkgs.example.org', graceSeconds: 7 })
    expect(await put(1, { graceSeconds: 8 })).to.deep.include({ serial: 3, already: true })
    expect(readState(store, 'box').settings).to.have.property('graceSeconds', 8)
  })

  it('chooses its build when it has the lock, not while another publish is under way', async () => {
    for (const number of [1, 2, 3]) await pulled(number, { world: `x/y${number}\n` })
    await put(1)
    await put(2)
    let waiting: Promise<Publication> | undefined
    const report = { ...silent.report, step: () => (waiting ??= rollback(store, parseReference('box'), day, silent)) }
    await publish(store, 'box', 3, day, { ...silent, report })
    expect((await waiting)?.build).to.equal(2)
    expect((await publishReference(store, parseReference('box'), day, silent)).build).to.equal(3)
  })

  it('remembers in each generation what was published before, should the state be lost', async () => {
    await pulled(1)
    await pulled(2, { world: 'x/y\n' })
    for (const number of [1, 2, 1]) await put(number)
    const { history } = readState(store, 'box')
    for (const serial of [1, 2]) rmSync(store.generation('box', serial), { recursive: true })
    rmSync(store.state('box'))
    expect(readState(store, 'box').history.map(({ serial, build }) => [serial, build])).to.deep.equal([
      [1, 1],
      [2, 2],
      [3, 1],
    ])
    expect(readState(store, 'box').history.slice(0, 2)).to.deep.equal(history.slice(0, 2))
  })

  it('leaves the pointer alone when it fails, and says what to do', async () => {
    await pulled(1)
    await pulled(2, { packages: { 'a/lost': 'lost' } })
    await put(1)
    rmSync(store.object(sha256('lost')))
    const error = await failure(put(2))
    expect(error).to.have.property('code', 'OBJECT_MISSING')
    expect(error.message).to.contain('.binpkgs/a/lost-1.gpkg.tar')
    expect(readlinkSync(store.pointer('box'))).to.equal('.generations/box.1')
    expect(generations()).to.deep.equal(['box.1'])
  })

  it('stops when it is told to, and leaves nothing behind', async () => {
    await pulled(1)
    await pulled(2, { world: 'x/y\n' })
    await put(1)
    const stop = new AbortController()
    const context = { report: { ...silent.report, step: () => stop.abort() }, signal: stop.signal }
    expect(await failure(publish(store, 'box', 2, day, context))).to.have.property('code', 'ABORTED')
    expect(publishedNumber(store, 'box')).to.equal(1)
    expect(generations()).to.deep.equal(['box.1'])
  })

  it('shows a reader one whole tree at every moment of many swaps', async () => {
    await pulled(1, { world: 'one\n', repo: { 'a/x': 'one\n' } })
    await pulled(2, { world: 'two\n', repo: { 'a/x': 'two\n' } })
    await put(1)
    const script = `
      const { readFileSync, realpathSync, writeSync } = require('node:fs')
      let rounds = 0
      process.on('SIGTERM', () => { writeSync(1, 'rounds ' + rounds); process.exit(0) })
      const turn = () => {
        for (let n = 0; n < 50; n++) {
          const top = realpathSync(${JSON.stringify(served())})
          const [a, b] = ['/gentoo/a/x', '/.profile/var/lib/portage/world'].map((path) => readFileSync(top + path, 'utf8'))
          if (a !== b) { writeSync(1, 'mixed ' + a + b); process.exit(1) }
          rounds++
        }
        setImmediate(turn)
      }
      turn()`
    const reader = spawn(process.execPath, ['-e', script])
    let said = ''
    reader.stdout.on('data', (chunk) => (said += String(chunk)))
    reader.stderr.on('data', (chunk) => (said += String(chunk)))
    const ended = new Promise((resolve) => reader.once('close', resolve))
    for (let swap = 0; swap < 100; swap++) await put((swap % 2) + 1, day)
    reader.kill()
    await ended
    expect(said).to.match(/^rounds [1-9]\d+$/)
    expect(lstatSync(store.pointer('box')).isSymbolicLink()).to.equal(true)
  }).timeout(120_000)
})
