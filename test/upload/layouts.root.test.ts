import { lstatSync, mkdirSync, readdirSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Context } from '../../src/model/report.js'
import { uploadTree } from '../../src/upload/upload.js'
import type { Upload, UploadReport } from '../../src/upload/upload.js'
import { needsRoot } from '../lab/needs-root.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { ARCH, databaseMatches, fileOf, generation, trouble } from './generation.js'
import { startWebHost } from './web-host.js'
import type { WebHost } from './web-host.js'

const GRACE = 3600
const one = { 'a-1-1': 'a one', 'b-1-1': 'b one', 'c-1-1': 'c'.repeat(200_000) }
const two = { 'a-2-1': 'a two', 'b-1-1': 'b one', 'c-1-1': one['c-1-1'] }

describe('an upload to a host that serves through symbolic links', function () {
  this.timeout(60_000)
  before(needsRoot)

  const directory = temporaryDirectory()
  let host: WebHost
  let pointer: string
  let generations: string
  before(async () => {
    host = await startWebHost()
    pointer = join(host.top, 'extra')
    generations = join(host.top, '.generations')
  })
  after(() => (host as WebHost | undefined)?.stop())
  beforeEach(() => {
    host.empty()
    host.done()
  })

  const upload = (what: Upload, graceSeconds = GRACE, context: Context = silent): Promise<UploadReport> =>
    uploadTree(what, { ...host.config, symlinks: true }, { graceSeconds, pauses: [] }, context)

  it('leads to a whole generation, and the next one shares what is the same', async () => {
    expect((await upload(generation(directory(), 1, one))).error).to.equal(undefined)
    expect(readlinkSync(pointer)).to.equal('.generations/extra.1')
    expect(trouble(pointer)).to.equal(undefined)
    host.done()
    const report = await upload(generation(directory(), 2, two))
    expect(report).to.include({ files: 6, already: 4, removed: 0 })
    const { linked, written } = host.done()
    expect(linked).to.have.length(4)
    const sent = Object.keys(written).filter((path) => path.includes('.pkg.'))
    expect(sent).to.have.members(['', '.sig'].map((end) => `.generations/extra.2/${ARCH}/${fileOf('a-2-1')}${end}`))
    expect(readlinkSync(pointer)).to.equal('.generations/extra.2')
    expect(trouble(pointer)).to.equal(undefined)
    expect(databaseMatches(pointer)).to.equal(true)
    const inode = (serial: number): number => statSync(join(generations, `extra.${serial}`, ARCH, fileOf('c-1-1'))).ino
    expect(inode(2)).to.equal(inode(1))
    expect(trouble(join(generations, 'extra.1')), 'for clients in flight').to.equal(undefined)
  })

  it('sends nothing the second time, and mends the published generation', async () => {
    const what = generation(directory(), 1, one)
    await upload(what)
    host.done()
    expect(await upload(what, 0)).to.include({ files: 0, already: 10, removed: 0 })
    expect(host.done()).to.deep.equal({ written: {}, renamed: [], removed: [], linked: [], madeDirectories: [] })
    writeFileSync(join(pointer, ARCH, fileOf('a-1-1')), '')
    expect(await upload(what)).to.include({ files: 1 })
    expect(trouble(pointer)).to.equal(undefined)
  })

  it('removes replaced generations after the grace time, with nothing foreign', async () => {
    await upload(generation(directory(), 1, one))
    await upload(generation(directory(), 2, two))
    mkdirSync(join(generations, 'other.1'))
    mkdirSync(join(generations, 'extra.old'))
    await upload(generation(directory(), 3, one))
    expect(readdirSync(generations)).to.have.members(['extra.1', 'extra.2', 'extra.3', 'extra.old', 'other.1'])
    const foreign = join(generations, 'extra.2', ARCH, 'index.html')
    writeFileSync(foreign, 'not of treeswap')
    const warnings: string[] = []
    const context = { ...silent, report: { ...silent.report, warn: (text: string) => void warnings.push(text) } }
    expect(await upload(generation(directory(), 4, two), 0, context)).to.include({ removed: 2 })
    expect(readdirSync(generations)).to.have.members(['extra.2', 'extra.4', 'extra.old', 'other.1'])
    expect(readdirSync(join(generations, 'extra.2', ARCH))).to.deep.equal(['index.html'])
    expect(readdirSync(join(generations, 'extra.2')), 'known as ours').to.include('.treeswap-upload.json')
    expect(warnings.join()).to.include('extra.2 holds files that were not uploaded')
    expect(trouble(pointer)).to.equal(undefined)
  })

  it('begins the grace time when a generation is replaced, not when it was made', async () => {
    await upload(generation(directory(), 1, one))
    const manifest = join(generations, 'extra.1', '.treeswap-upload.json')
    const before = lstatSync(manifest).mtimeMs
    await upload(generation(directory(), 2, two), 1)
    expect(lstatSync(manifest).mtimeMs).to.be.at.least(before)
    expect(readdirSync(generations)).to.have.members(['extra.1', 'extra.2'])
    await new Promise((resolve) => setTimeout(resolve, 1100))
    expect(await upload(generation(directory(), 3, one), 1)).to.include({ removed: 1 })
    expect(readdirSync(generations)).to.have.members(['extra.2', 'extra.3'])
  })

  it('does not touch a pointer that somebody else made', async () => {
    for (const target of [
      '/srv/elsewhere',
      '.generations/../../elsewhere',
      '.generations/other.1',
      '.generations/extra.0',
    ]) {
      symlinkSync(target, pointer)
      expect((await upload(generation(directory(), 1, one))).error, target).to.include({ code: 'UPLOAD_LAYOUT' })
      expect(readlinkSync(pointer)).to.equal(target)
      rmSync(pointer)
      rmSync(join(directory(), 'extra.1'), { recursive: true })
    }
  })

  it('is refused where every generation would have to be sent whole', async () => {
    const without = await startWebHost({ sftp: '-P hardlink' })
    try {
      const send = (what: Upload) =>
        uploadTree(what, { ...without.config, symlinks: true }, { graceSeconds: GRACE, pauses: [] }, silent)
      expect((await send(generation(directory(), 1, one))).error).to.equal(undefined)
      expect((await send(generation(directory(), 2, two))).error).to.include({ code: 'UPLOAD_NO_LINKS' })
      expect(readlinkSync(join(without.top, 'extra'))).to.equal('.generations/extra.1')
    } finally {
      await without.stop()
    }
  })
})
