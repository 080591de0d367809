import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Config } from '../../src/config/config.js'
import type { UploadConfig } from '../../src/config/uploads.js'
import type { Context } from '../../src/model/report.js'
import { uploadAfterPublish, uploadPublished } from '../../src/pipeline/upload.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { needsRoot } from '../lab/needs-root.js'
import { freePorts } from '../lab/ports.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { ARCH, fileOf, generation, trouble } from './generation.js'
import type { Packages } from './generation.js'
import { startWebHost } from './web-host.js'
import type { WebHost } from './web-host.js'

const one = { 'a-1-1': 'a one', 'b-1-1': 'b one' }
const two = { 'a-2-1': 'a two', 'b-1-1': 'b one' }

describe('uploads of what is published', function () {
  this.timeout(60_000)
  before(needsRoot)

  const directory = temporaryDirectory()
  let near: WebHost
  let far: WebHost
  let store: Store
  before(async () => {
    near = await startWebHost()
    far = await startWebHost()
  })
  after(async () => {
    for (const host of [near, far] as (WebHost | undefined)[]) await host?.stop()
  })
  beforeEach(() => {
    store = openStore(join(directory(), 'store'), { create: true })
    for (const one of [near, far]) one.empty()
  })

  /** What a publish leaves: the generation, and the pointer to it. */
  const published = (serial: number, packages: Packages): void => {
    const made = join(directory(), `made-${serial}`)
    mkdirSync(made)
    renameSync(generation(made, serial, packages).directory, store.generation('extra', serial))
    rmSync(store.pointer('extra'), { force: true })
    symlinkSync(`.generations/extra.${serial}`, store.pointer('extra'))
  }

  /** Of the configuration, what uploads look at. */
  const config = (changed: Partial<UploadConfig> = {}): Config => {
    const hosts = [
      { ...near.config, name: 'near' },
      { ...far.config, name: 'far', ...changed },
    ]
    const extra = { name: 'extra', upload: hosts.map(({ name }) => name) }
    const uploads = new Map(hosts.map((host) => [host.name, host]))
    return { publisher: { graceSeconds: 0 }, pacman: new Map([['extra', extra]]), uploads } as unknown as Config
  }

  const names = ({ top }: WebHost): string => readFileSync(join(top, 'extra', ARCH, 'extra.db'), 'utf8')

  it('bring what was published meanwhile, and not the generation that was there when they began', async () => {
    published(1, one)
    const progress = (): void => {
      if (readdirSync(join(store.root, 'published/.generations')).length > 1) return
      published(2, two)
    }
    const context: Context = { ...silent, report: { ...silent.report, progress } }
    const { serial, hosts } = await uploadPublished(store, config(), 'extra', { pauses: [] }, context)
    expect(hosts.map(({ name, error }) => [name, error?.code])).to.deep.equal([
      ['near', undefined],
      ['far', undefined],
    ])
    expect(serial).to.equal(2)
    for (const host of [near, far]) {
      expect(names(host)).to.include(fileOf('a-2-1'))
      expect(trouble(join(host.top, 'extra'))).to.equal(undefined)
    }
    expect(hosts[0]?.files, 'of both').to.be.greaterThan(hosts[1]!.files)
  })

  it('are done again by the next run where they failed, and only there', async () => {
    published(1, one)
    const [port = 0] = await freePorts(1)
    const after = (changed: Partial<UploadConfig> = {}) =>
      uploadAfterPublish(store, config(changed), 'extra', silent, { pauses: [] })
    const first = await after({ port })
    expect(first.map(({ name, error }) => [name, error?.code])).to.deep.equal([
      ['near', undefined],
      ['far', 'UPLOAD_UNREACHABLE'],
    ])
    const again = await after()
    expect(again.map(({ name, files, error }) => [name, files, error])).to.deep.equal([['far', 8, undefined]])
    expect(trouble(join(far.top, 'extra'))).to.equal(undefined)
    const logs = (): string => near.sshdLog() + far.sshdLog()
    const before = logs()
    expect(await after(), 'nobody is behind').to.deep.equal([])
    expect(logs(), 'and nobody is asked').to.equal(before)
    published(2, two)
    expect(await after()).to.have.length(2)
  })
})
