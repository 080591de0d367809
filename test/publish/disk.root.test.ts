import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { openDirectorySource } from '../../src/artifact/source.js'
import type { Context } from '../../src/model/report.js'
import { check } from '../../src/publish/check.js'
import { publish } from '../../src/publish/publish.js'
import { listBuilds } from '../../src/store/builds.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { pull } from '../../src/store/pull.js'
import { publishedNumber } from '../../src/store/references.js'
import { readState, writeState } from '../../src/store/state.js'
import { needsRoot } from '../lab/needs-root.js'
import { silent } from '../lab/silent.js'
import { archive, contentOf, failure, sha256 } from '../store/machine.js'

const grace = { graceSeconds: 86_400 }

describe('a store on a difficult disk', function () {
  this.timeout(180_000)
  before(needsRoot)

  let directory: string
  let artifacts: string
  let mounted: string[]

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'treeswap-disk-'))
    artifacts = join(directory, 'artifacts')
    mounted = []
  })
  afterEach(() => {
    for (const path of mounted.reverse()) execFileSync('umount', [path])
    rmSync(directory, { recursive: true, force: true })
  })

  function mount(path: string, ...options: string[]): void {
    mkdirSync(path, { recursive: true })
    execFileSync('mount', [...options, path])
    mounted.push(path)
  }

  const take = (store: Store, number: number): Promise<unknown> =>
    pull(store, openDirectorySource(`dir:${artifacts}`), 'box', number, silent)

  function listening(): { context: Context; warnings: string[] } {
    const warnings: string[] = []
    return { context: { ...silent, report: { ...silent.report, warn: (text) => warnings.push(text) } }, warnings }
  }

  it('that is full fails with a coded error, and works after there is room', async () => {
    const root = join(directory, 'store')
    mount(root, '-t', 'tmpfs', '-o', 'size=3m', 'tmpfs')
    const store = openStore(root, { create: true })
    await archive(artifacts, 1, { packages: { 'a/one': 'one' } })
    await archive(artifacts, 2, { packages: { 'a/one': 'one', 'a/two': '2'.repeat(1_500_000) } }, { base: 1 })
    await take(store, 1)
    await publish(store, 'box', 1, grace, silent)
    const before = contentOf(store.pointer('box'))

    writeFileSync(join(root, 'ballast'), Buffer.alloc(2_000_000))
    const error = await failure(take(store, 2))
    expect(error).to.have.property('code', 'DISK')
    expect(error.hint).to.contain('df -h')
    expect(listBuilds(store, 'box')).to.deep.equal([1])
    expect(readdirSync(join(root, 'incoming'))).to.deep.equal([])

    rmSync(join(root, 'ballast'))
    await take(store, 2)
    const room = Number(execFileSync('stat', ['-f', '-c', '%a', root]).toString()) * 4096
    writeFileSync(join(root, 'ballast'), Buffer.alloc(room))
    expect(await failure(publish(store, 'box', 2, grace, silent))).to.have.property('code', 'DISK')
    expect(publishedNumber(store, 'box')).to.equal(1)
    expect(contentOf(store.pointer('box'))).to.deep.equal(before)

    rmSync(join(root, 'ballast'))
    await publish(store, 'box', 2, grace, silent)
    expect(publishedNumber(store, 'box')).to.equal(2)
    expect(await check(store, silent)).to.deep.equal([])
  })

  it('that is full gets room from generations whose time is over', async () => {
    const root = join(directory, 'store')
    mount(root, '-t', 'tmpfs', '-o', 'size=3m', 'tmpfs')
    const store = openStore(root, { create: true })
    const many = Object.fromEntries(Array.from({ length: 400 }, (_, n) => [`a/p${n}`, 'same']))
    await archive(artifacts, 1, { packages: many })
    for (const number of [2, 3]) await archive(artifacts, number, { world: `w${number}\n` })
    for (const number of [1, 2, 3]) await take(store, number)
    for (const number of [1, 2]) await publish(store, 'box', number, grace, silent)
    const state = readState(store, 'box')
    const at = '2020-01-01T00:00:00.000Z'
    writeState(store, { ...state, history: state.history.map((entry) => ({ ...entry, at })) })
    const room = Number(execFileSync('stat', ['-f', '-c', '%a', root]).toString()) * 4096
    writeFileSync(join(root, 'ballast'), Buffer.alloc(room))
    const { serial, removedGenerations } = await publish(store, 'box', 3, grace, silent)
    expect({ serial, removedGenerations }).to.deep.equal({ serial: 3, removedGenerations: [1] })
    expect(readdirSync(join(root, 'published/.generations'))).to.deep.equal(['box.2', 'box.3'])
  })

  it('whose generations lie on another file system gets copies, and says so', async () => {
    const store = openStore(join(directory, 'store'), { create: true })
    mount(join(store.root, 'published/.generations'), '-t', 'tmpfs', 'tmpfs')
    await archive(artifacts, 1, { packages: { 'a/one': 'one' } })
    await take(store, 1)
    const { context, warnings } = listening()
    const { links, copies } = await publish(store, 'box', 1, grace, context)
    expect(links).to.equal(0)
    expect(copies).to.be.greaterThan(3)
    expect(warnings.join()).to.contain(`${copies} files were copied`)
    const served = statSync(join(store.pointer('box'), '.binpkgs/a/one-1.gpkg.tar'))
    const object = statSync(store.object(sha256('one')))
    expect([served.mtimeMs, served.mode]).to.deep.equal([object.mtimeMs, object.mode])
    expect(await check(store, silent)).to.deep.equal([])
    expect((await publish(store, 'box', 1, grace, silent)).already).to.equal(true)
  })

  it('that allows too few links to one file gets copies of the rest, and says so', async () => {
    const image = join(directory, 'ext4.img')
    execFileSync('truncate', ['-s', '64M', image])
    execFileSync('mkfs.ext4', ['-q', image])
    mount(join(directory, 'ext4'), '-o', 'loop', image)
    const store = openStore(join(directory, 'ext4/store'), { create: true })
    const repo = Object.fromEntries(Array.from({ length: 30 }, (_, n) => [`files/${n}`, 'the same']))
    await archive(artifacts, 1, { repo })
    await take(store, 1)
    mkdirSync(join(directory, 'ext4/links'))
    const object = store.object(sha256('the same'))
    for (let n = 0; n < 64_989; n++) linkSync(object, join(directory, `ext4/links/${n}`))
    const { context, warnings } = listening()
    const { links, copies } = await publish(store, 'box', 1, grace, context)
    expect(copies).to.equal(20) // 10 more, and there are 65,000 links to the file
    expect(links).to.be.greaterThan(10)
    expect(statSync(object).nlink).to.equal(65_000)
    expect(warnings.join()).to.contain('20 files were copied')
    expect(await check(store, silent)).to.deep.equal([])
  })
})
