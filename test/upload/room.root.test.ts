import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { UploadConfig } from '../../src/config/uploads.js'
import type { Context } from '../../src/model/report.js'
import { uploadTree } from '../../src/upload/upload.js'
import type { Upload, UploadReport } from '../../src/upload/upload.js'
import { needsRoot } from '../lab/needs-root.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { startCut } from './cut.js'
import { ARCH, fileOf, generation, trouble } from './generation.js'
import { startWebHost } from './web-host.js'
import type { WebHost } from './web-host.js'

const GRACE = 3600
const one = { 'a-1-1': 'a one', 'b-1-1': 'b one' }
const two = { 'a-2-1': 'a two', 'b-1-1': 'b one' }
const three = { 'a-3-1': 'a three', 'b-1-1': 'b one' }

describe('what uploads leave on a web host', function () {
  this.timeout(60_000)
  before(needsRoot)

  const directory = temporaryDirectory()
  let host: WebHost
  let tree: string
  let manifest: string
  before(async () => {
    host = await startWebHost()
    tree = join(host.top, 'extra')
    manifest = join(tree, '.treeswap-upload.json')
  })
  after(() => (host as WebHost | undefined)?.stop())
  beforeEach(() => {
    host.empty()
  })

  const upload = (
    what: Upload,
    changed: Partial<UploadConfig> = {},
    graceSeconds = GRACE,
    context: Context = silent,
  ): Promise<UploadReport> =>
    uploadTree(what, { ...host.config, ...changed }, { graceSeconds, pauses: [], silence: 3000 }, context)

  const own = (path: string): unknown => execFileSync('chown', ['-R', host.config.user, path])

  type Leaving = [path: string, since: string][]
  /** As if everything had left the tree at another time. */
  const changeLeaving = (since: string): void => {
    const data = JSON.parse(readFileSync(manifest, 'utf8')) as { leaving: Leaving }
    expect(data.leaving).not.to.deep.equal([])
    writeFileSync(manifest, JSON.stringify({ ...data, leaving: data.leaving.map(([path]) => [path, since]) }))
  }

  it('goes after the grace time even where the new needs the room', async () => {
    for (const symlinks of [false, true]) {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=5m,uid=${host.account.uid}`, 'tmpfs', host.top])
      try {
        const start = symlinks ? 10 : 1
        const x = (letter: string) => letter.repeat(3_000_000)
        const changed = { symlinks }
        expect((await upload(generation(directory(), start, { ...one, 'x-1-1': x('x') }), changed)).error).to.equal(
          undefined,
        )
        expect((await upload(generation(directory(), start + 1, one), changed)).error).to.equal(undefined)
        const next = generation(directory(), start + 2, { ...one, 'x-2-1': x('y') })
        expect((await upload(next, changed)).error, 'for clients in flight').to.include({ code: 'UPLOAD_DISK_FULL' })
        expect(trouble(tree)).to.equal(undefined)
        expect((await upload(next, changed, 0)).error).to.equal(undefined)
        expect(trouble(tree)).to.equal(undefined)
      } finally {
        execFileSync('umount', [host.top])
      }
    }
  })

  it('stays for the whole grace time once more where a rollback brought it back that did not come to its end', async () => {
    await upload(generation(directory(), 1, one))
    await upload(generation(directory(), 2, two))
    changeLeaving('2020-01-01T00:00:00.000Z')
    const saved = join(directory(), 'saved')
    execFileSync('cp', ['-a', tree, saved])
    const back = generation(directory(), 3, one, { superseded: { 'a-2-1': 'a two' } })
    const whole = await startCut(host.port, Infinity, 'requests')
    await upload(back, { port: whole.port })
    await whole.stop()
    rmSync(tree, { recursive: true })
    execFileSync('cp', ['-a', saved, tree])
    const cut = await startCut(host.port, whole.passed() - 500, 'requests')
    expect((await upload(back, { port: cut.port })).error).to.include({ code: 'UPLOAD_LOST' })
    await cut.stop()
    expect(readFileSync(join(tree, ARCH, 'extra.db'), 'utf8'), 'clients have it').to.include(fileOf('a-1-1'))
    expect(await upload(generation(directory(), 4, three))).to.include({ removed: 0 })
    expect(readdirSync(join(tree, ARCH))).to.include(fileOf('a-1-1'))
  })

  it('does not stay for years because the clock here was ahead once', async () => {
    await upload(generation(directory(), 1, one))
    await upload(generation(directory(), 2, two))
    changeLeaving('2099-01-01T00:00:00.000Z')
    expect(await upload(generation(directory(), 3, two)), 'from now on').to.include({ removed: 0 })
    expect(readFileSync(manifest, 'utf8')).not.to.include('2099')
    expect(await upload(generation(directory(), 4, two), {}, 0)).to.include({ removed: 2 })
  })

  it('is known as its own from the first directory of a generation on', async () => {
    const changed = { symlinks: true }
    await upload(generation(directory(), 1, one), changed)
    const generations = join(host.top, '.generations')
    const next = generation(directory(), 2, two)
    const whole = await startCut(host.port, Infinity, 'requests')
    expect((await upload(next, { ...changed, port: whole.port })).error).to.equal(undefined)
    await whole.stop()
    for (let part = 1; part < 10; part++) {
      rmSync(host.top + '/extra')
      for (const name of readdirSync(generations)) rmSync(join(generations, name), { recursive: true })
      await upload(generation(join(directory(), String(part)), 1, one), changed)
      const cut = await startCut(host.port, Math.floor((whole.passed() * part) / 10), 'requests')
      await upload(next, { ...changed, port: cut.port })
      await cut.stop()
      const warnings: string[] = []
      const context = { ...silent, report: { ...silent.report, warn: (text: string) => void warnings.push(text) } }
      await upload(generation(join(directory(), String(part)), 3, three), changed, 0, context)
      expect(readdirSync(generations), `cut at ${part}/10`).to.deep.equal(['extra.3'])
      expect(warnings).to.deep.equal([])
    }
  })

  it('may have a directory beside it that has the name of a temporary file', async () => {
    const strange = join(tree, ARCH, '.treeswap-upload-strange.tmp')
    mkdirSync(strange, { recursive: true })
    own(tree)
    expect((await upload(generation(directory(), 1, one))).error).to.equal(undefined)
    expect(trouble(tree)).to.equal(undefined)
    expect(readdirSync(strange)).to.deep.equal([])
  })

  it('has names as long as names can be', async () => {
    const long = { [`${'l'.repeat(230)}-1-1`]: 'long' }
    const what = generation(directory(), 1, long, { signed: false })
    expect(Math.max(...readdirSync(join(what.directory, ARCH)).map((name) => name.length))).to.be.within(250, 255)
    expect((await upload(what)).error).to.equal(undefined)
    expect(trouble(tree, { signed: false })).to.equal(undefined)
  })

  it('is told by a manifest that may end before the size that the host says', async () => {
    const what = generation(directory(), 1, one)
    await upload(what)
    // a file of 4096 bytes of which only some can be read
    execFileSync('mount', ['--bind', '/sys/kernel/mm/transparent_hugepage/enabled', manifest])
    const controller = new AbortController()
    const timer = setTimeout(() => controller.abort(), 15_000)
    try {
      const { error } = await upload(what, {}, GRACE, { ...silent, signal: controller.signal })
      expect(error, 'nothing can be put in the place of a mount').to.include({ code: 'UPLOAD_FAILED' })
    } finally {
      clearTimeout(timer)
      execFileSync('umount', [manifest])
    }
    expect(trouble(tree)).to.equal(undefined)
  })

  it('is nothing where the host does not let make the symbolic link that it is to be served by', async () => {
    const without = await startWebHost({ sftp: '-P symlink' })
    try {
      const { error, files } = await uploadTree(
        generation(directory(), 1, one),
        { ...without.config, symlinks: true },
        { graceSeconds: GRACE, pauses: [] },
        silent,
      )
      expect(error).to.include({ code: 'UPLOAD_NO_LINKS', category: 'configuration' })
      expect(error?.hint).to.include('symlinks: false')
      expect(files).to.equal(0)
    } finally {
      await without.stop()
    }
  })
})
