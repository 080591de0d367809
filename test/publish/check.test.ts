import {
  chmodSync,
  existsSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openDirectorySource } from '../../src/artifact/source.js'
import { objectMtime } from '../../src/model/object-key.js'
import { check } from '../../src/publish/check.js'
import { publish } from '../../src/publish/publish.js'
import { readBuild } from '../../src/store/builds.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { pull } from '../../src/store/pull.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { archive, sha256 } from '../store/machine.js'

const shared = sha256('shared')

describe('check', () => {
  const directory = temporaryDirectory()
  let store: Store

  beforeEach(async () => {
    store = openStore(join(directory(), 'store'), { create: true })
    const artifacts = join(directory(), 'artifacts')
    await archive(artifacts, 1, { packages: { 'a/shared': 'shared', 'a/one': 'only one' } })
    await archive(artifacts, 2, { packages: { 'a/shared': 'shared', 'a/two': 'only two' } }, { base: 1 })
    for (const number of [1, 2]) await pull(store, openDirectorySource(`dir:${artifacts}`), 'box', number, silent)
    await publish(store, 'box', 2, { graceSeconds: 9 }, silent)
  })

  const inPublished = (path: string): string => join('published/.generations/box.1', path)
  const found = async (): Promise<[string, string, string[]][]> =>
    (await check(store, silent)).map(({ kind, path, builds }) => [kind, path, builds])

  it('finds nothing where all is well', async () => {
    expect(await found()).to.deep.equal([])
  })

  it('finds an object whose bytes turned, though size and time are as before, and every build that needs it', async () => {
    const path = store.object(shared)
    writeFileSync(path, 'sharad')
    utimesSync(path, objectMtime(shared), objectMtime(shared))
    expect(await found()).to.deep.equal([['damaged', `objects/${shared.slice(0, 2)}/${shared}`, ['box@1', 'box@2']]])
  })

  it('finds an object whose time or mode no longer tells its content', async () => {
    utimesSync(store.object(shared), 5, 5)
    chmodSync(store.object(sha256('only one')), 0o600)
    expect((await found()).map(([kind, , builds]) => [kind, builds])).to.deep.include.members([
      ['damaged', ['box@1', 'box@2']],
      ['damaged', ['box@1']],
    ])
  })

  it('finds a lost object, and says how it comes back', async () => {
    const lost = sha256('only one')
    unlinkSync(store.object(lost))
    const [finding] = await check(store, silent)
    expect(finding).to.deep.include({ kind: 'missing', path: `objects/${lost.slice(0, 2)}/${lost}`, builds: ['box@1'] })
    expect(finding?.hint).to.contain('pull box@1 again')
  })

  it('finds what a publish would link, lost or turned, in a generation', async () => {
    const top = store.generation('box', 1)
    rmSync(join(top, 'gentoo/metadata/layout.conf'))
    rmSync(join(top, '.binpkgs/a/two-1.gpkg.tar'))
    writeFileSync(join(top, '.binpkgs/a/two-1.gpkg.tar'), 'only 2wo')
    writeFileSync(join(top, '.binpkgs/Packages.gz'), '')
    writeFileSync(join(top, 'gentoo/intruder'), '')
    expect(await found()).to.have.deep.members([
      ['missing', inPublished('gentoo/metadata/layout.conf'), ['box@2']],
      ['damaged', inPublished('.binpkgs/a/two-1.gpkg.tar'), ['box@2']],
      ['damaged', inPublished('.binpkgs/Packages.gz'), ['box@2']],
      ['foreign', inPublished('gentoo/intruder'), ['box@2']],
    ])
  })

  it('finds a link that leads nowhere', async () => {
    rmSync(store.generation('box', 1), { recursive: true })
    expect(await found()).to.deep.equal([['missing', 'published/.generations/box.1', []]])
  })

  it('finds damaged manifests and records', async () => {
    const text = readFileSync(join(store.build('box', 1), 'build.json'), 'utf8')
    const [digest = ''] = /(?<=manifest.*sha256": ")[0-9a-f]{64}/s.exec(text) ?? []
    rmSync(store.manifest(digest))
    writeFileSync(join(store.build('box', 1), 'build.json'), '{')
    const paths = (await found()).map(([kind, path]) => `${kind} ${path}`)
    expect(paths).to.include.members([`missing manifests/${digest}.zst`, 'damaged builds/box/1'])
  })

  it('names what does not belong there', async () => {
    const names = [
      'objects/zz',
      'objects/00/README',
      'manifests/x.tmp',
      'builds/box/1/core',
      'builds/box/3',
      'builds/box/old',
      'builds/note',
      'trees/README',
      'published/index.html',
      'published/.generations/box.9',
      'published/.generations/strange',
    ]
    for (const name of names) writeFileSync(join(store.root, name), '')
    expect(await found()).to.have.deep.members(names.map((name) => ['foreign', name, []]))
  })

  it('names a link among the published trees that leads elsewhere', async () => {
    symlinkSync('/etc', join(store.root, 'published/etc'))
    expect(await found()).to.deep.equal([['foreign', 'published/etc', []]])
  })

  it('finds a record that was edited, or is that of another build', async () => {
    const path = join(store.build('box', 1), 'build.json')
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, text.replace(/"finished": "..../, '"finished": "1999'))
    expect(await found()).to.deep.equal([['damaged', 'builds/box/1', ['box@1']]])
    expect(readBuild(store, 'box', 1).finished).to.match(/^1999/)
    writeFileSync(path, readFileSync(join(store.build('box', 2), 'build.json')))
    expect((await found())[0]).to.deep.equal(['damaged', 'builds/box/1', ['box@1']])
    expect(() => readBuild(store, 'box', 1))
      .to.throw('box@2')
      .with.property('code', 'BUILD_INVALID')
  })

  it('finds a damaged log, but does not miss a lost one', async () => {
    const path = join(store.build('box', 1), 'build.json')
    const log = { file: 'build.log.zst', size: 4, sha256: sha256('good') }
    const text = JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), log })
    writeFileSync(path, text)
    writeFileSync(`${path}.sha256`, `${sha256(text)}  build.json\n`)
    expect(await found()).to.deep.equal([])
    const place = join(store.build('box', 1), log.file)
    writeFileSync(place, 'good')
    expect(await found()).to.deep.equal([])
    writeFileSync(place, 'evil')
    expect(await found()).to.deep.equal([['damaged', 'builds/box/1/build.log.zst', ['box@1']]])
  })

  it('finds a damaged state, and a manifest that no build needs and that is not what it is named', async () => {
    writeFileSync(store.state('box'), '{')
    writeFileSync(store.manifest(sha256('x')), 'y')
    writeFileSync(store.manifest(sha256('z')), 'z')
    expect(await found()).to.have.deep.members([
      ['damaged', 'trees/box.json', []],
      ['damaged', `manifests/${sha256('x')}.zst`, []],
    ])
  })

  it('finds nothing wrong with a generation that a publish removes meanwhile', async () => {
    await publish(store, 'box', 1, {}, silent)
    const step = (text: string): void => {
      const place = store.generation('box', 1)
      if (text.includes('generation 1')) renameSync(place, join(store.root, 'published/.generations/.box.1.partial'))
    }
    expect(await check(store, { ...silent, report: { ...silent.report, step } })).to.deep.equal([])
    expect(existsSync(store.generation('box', 1))).to.equal(false)
  })
})
