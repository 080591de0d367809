import { chownSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { UploadConfig } from '../../src/config/uploads.js'
import { uploadTree } from '../../src/upload/upload.js'
import type { Upload, UploadReport } from '../../src/upload/upload.js'
import { needsRoot } from '../lab/needs-root.js'
import { silent } from '../lab/silent.js'
import { failure } from '../artifact/collect.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { ARCH, databaseMatches, fileOf, generation, trouble } from './generation.js'
import { startWebHost } from './web-host.js'
import type { WebHost } from './web-host.js'

const GRACE = 3600
const one = { 'a-1-1': 'a one', 'b-1:2.0-1': 'b with an epoch', 'c-1-1': 'c'.repeat(700_000) }
const two = { ...one, 'a-2-1': 'a two' } as Partial<typeof one>
delete two['a-1-1']

describe('an upload to a web host', function () {
  this.timeout(60_000)
  before(needsRoot)

  const directory = temporaryDirectory()
  let host: WebHost
  let tree: string
  before(async () => {
    host = await startWebHost()
    tree = join(host.top, 'extra')
  })
  after(() => (host as WebHost | undefined)?.stop())
  beforeEach(() => {
    host.empty()
    host.done()
  })

  const upload = (what: Upload, changed: Partial<UploadConfig> = {}, graceSeconds = GRACE): Promise<UploadReport> =>
    uploadTree(what, { ...host.config, ...changed }, { graceSeconds, pauses: [] }, silent)

  it('brings all of a generation but what servers hide, packages before signatures before databases', async () => {
    const what = generation(directory(), 1, one)
    const report = await upload(what)
    expect(report.error).to.equal(undefined)
    expect(report).to.include({ name: 'mirror', host: '127.0.0.1', files: 10, already: 0, removed: 0 })
    expect(trouble(tree)).to.equal(undefined)
    expect(databaseMatches(tree)).to.equal(true)
    const names = readdirSync(join(what.directory, ARCH))
    expect(readdirSync(join(tree, ARCH))).to.deep.equal(names)
    expect(readdirSync(tree)).to.have.members(['.treeswap-upload.json', 'os'])
    const { renamed, written } = host.done()
    const order = renamed.filter((path) => !path.endsWith('.json')).map(kindOf)
    expect(order).to.deep.equal([
      ...['package', 'package', 'package', 'signature', 'signature', 'signature'],
      ...['extra.files', 'extra.files.sig', 'extra.db', 'extra.db.sig'],
    ])
    for (const name of names) {
      const [here, there] = [what.directory, tree].map((top) => statSync(join(top, ARCH, name)))
      expect(written[`extra/${ARCH}/${name}`], name).to.equal(here!.size)
      expect(there!.mtimeMs, name).to.equal(here!.mtimeMs)
      expect(there!.mode & 0o777, name).to.equal(0o644)
    }
    expect(report.bytes).to.equal(sum(names.map((name) => statSync(join(what.directory, ARCH, name)).size)))
    expect(statSync(tree).mode & 0o777).to.equal(0o755)
  })

  it('sends nothing the second time', async () => {
    const what = generation(directory(), 1, one)
    await upload(what)
    host.done()
    expect(await upload(what)).to.include({ files: 0, bytes: 0, already: 10, removed: 0 })
    expect(host.done()).to.deep.equal({ written: {}, renamed: [], removed: [], linked: [], madeDirectories: [] })
  })

  it('sends one package that is new, its signature and the databases, and nothing else', async () => {
    await upload(generation(directory(), 1, one))
    host.done()
    const what = generation(directory(), 2, two, { superseded: { 'a-1-1': 'a one' } })
    const report = await upload(what)
    expect(report).to.include({ files: 6, already: 6, removed: 0 })
    const sent = [
      fileOf('a-2-1'),
      `${fileOf('a-2-1')}.sig`,
      'extra.files',
      'extra.files.sig',
      'extra.db',
      'extra.db.sig',
    ]
    const { written, removed } = host.done()
    const names = Object.keys(written).filter((path) => !path.endsWith('.json'))
    expect(names).to.have.members(sent.map((name) => `extra/${ARCH}/${name}`))
    expect(report.bytes).to.equal(sum(names.map((path) => written[path]!)))
    expect(removed.filter((path) => !path.endsWith('.tmp'))).to.deep.equal([])
    expect(trouble(tree)).to.equal(undefined)
  })

  it('does not send a database anew whose content is the same, nor what lost its manifest', async () => {
    await upload(generation(directory(), 1, one))
    expect(await upload(generation(directory(), 2, one)), 'a later stamp').to.include({ files: 0 })
    rmSync(join(tree, '.treeswap-upload.json'))
    expect(await upload(generation(directory(), 3, one)), 'databases have later stamps').to.include({ files: 4 })
  })

  it('mends a file of another size, and one that somebody wrote to, and takes no manifest’s word for them', async () => {
    const what = generation(directory(), 1, one)
    await upload(what)
    writeFileSync(join(tree, ARCH, fileOf('a-1-1')), 'a on')
    writeFileSync(join(tree, ARCH, fileOf('b-1:2.0-1')), 'B WITH AN EPOCH')
    rmSync(join(tree, ARCH, `${fileOf('c-1-1')}.sig`))
    expect(trouble(tree)).not.to.equal(undefined)
    expect(await upload(what)).to.include({ files: 3, already: 7 })
    expect(trouble(tree)).to.equal(undefined)
  })

  it('sends a signature by another key, though it has the size of the old one', async () => {
    const what = generation(directory(), 1, one)
    await upload(what)
    const file = join(ARCH, `${fileOf('a-1-1')}.sig`)
    const { size } = statSync(join(what.directory, file))
    writeFileSync(join(what.directory, file), 'x'.repeat(size))
    utimesSync(join(what.directory, file), 1_500_000_000, 1_500_000_000)
    expect(await upload(what)).to.include({ files: 1, bytes: size })
    expect(readFileSync(join(tree, file), 'utf8')).to.equal('x'.repeat(size))
  })

  it('removes what left the tree after the grace time, and no file that it did not bring', async () => {
    await upload(generation(directory(), 1, one))
    const foreign = ['index.html', fileOf('foreign-1-1'), '.hidden'].map((name) => join(tree, ARCH, name))
    for (const path of foreign) writeFileSync(path, 'not of treeswap')
    const what = generation(directory(), 2, two)
    expect(await upload(what)).to.include({ removed: 0 })
    expect(readdirSync(join(tree, ARCH))).to.include(fileOf('a-1-1'))
    host.done()
    expect(await upload(what, {}, 0)).to.include({ files: 0, removed: 2 })
    const gone = [fileOf('a-1-1'), `${fileOf('a-1-1')}.sig`].map((name) => `extra/${ARCH}/${name}`)
    expect(host.done().removed).to.include.members(gone)
    const names = readdirSync(join(what.directory, ARCH))
    expect(readdirSync(join(tree, ARCH))).to.have.members([...names, 'index.html', fileOf('foreign-1-1'), '.hidden'])
    expect(await upload(what, {}, 0), 'nothing more').to.include({ files: 0, removed: 0 })
  })

  it('removes what an upload brought that did not come to its end', async () => {
    const controller = new AbortController()
    const report = { ...silent.report, progress: () => controller.abort() }
    const stopped = uploadTree(
      generation(directory(), 1, { 'gone-1-1': 'brought, and never named by a database' }),
      host.config,
      { graceSeconds: 0, pauses: [] },
      { report, signal: controller.signal },
    )
    expect(await failure(() => stopped)).to.include({ code: 'ABORTED' })
    expect(readdirSync(join(tree, ARCH))).to.deep.equal([fileOf('gone-1-1')])
    expect(await upload(generation(directory(), 2, one), {}, 0)).to.include({ files: 10, removed: 1 })
    expect(readdirSync(join(tree, ARCH))).not.to.include(fileOf('gone-1-1'))
  })

  it('leaves alone what somebody put in the place of a file that it brought', async () => {
    await upload(generation(directory(), 1, one))
    const file = join(tree, ARCH, fileOf('a-1-1'))
    writeFileSync(file, 'mine')
    expect(await upload(generation(directory(), 2, two), {}, 0)).to.include({ removed: 1 })
    expect(readFileSync(file, 'utf8')).to.equal('mine')
  })

  it('removes no file by a manifest that somebody wrote, and goes on without a damaged one', async () => {
    const what = generation(directory(), 1, one)
    await upload(what)
    const manifest = join(tree, '.treeswap-upload.json')
    const outside = join(host.top, 'other.html')
    writeFileSync(outside, 'other')
    const { size, mtimeMs } = statSync(outside)
    const entry = { size, mtime: 0, remoteMtime: Math.floor(mtimeMs / 1000), sha256: '0'.repeat(64) }
    for (const path of ['../other.html', 'os/../../other.html', outside, './../other.html']) {
      const text = JSON.stringify({ schema: 1, files: [[path, entry]], sending: [], leaving: [] })
      writeFileSync(manifest, text)
      expect((await upload(what, {}, 0)).error, path).to.equal(undefined)
      expect(readFileSync(outside, 'utf8')).to.equal('other')
    }
    for (const text of ['', '{', '[]', '{"schema":2}']) {
      writeFileSync(manifest, text)
      expect(await upload(what, {}, 0), text).to.include({ files: 0, removed: 0 })
      expect((JSON.parse(readFileSync(manifest, 'utf8')) as { files: unknown[] }).files).to.have.length(10)
    }
  })

  it('takes signatures of what has none any more away with the swap when the repo is not signed any more', async () => {
    await upload(generation(directory(), 1, one))
    const what = generation(directory(), 2, two, { signed: false })
    host.done()
    expect((await upload(what)).error).to.equal(undefined)
    expect(trouble(tree, { signed: false })).to.equal(undefined)
    const names = readdirSync(join(tree, ARCH))
    expect(names).not.to.include('extra.db.sig')
    const superseded = Object.keys(one).filter((name) => !(name in two))
    expect(names.filter((name) => name.endsWith('.sig'))).to.deep.equal(superseded.map((name) => `${fileOf(name)}.sig`))
  })

  it('says what to do where the directory is missing, not its own, taken, or of the other layout', async () => {
    const what = generation(directory(), 1, one)
    const refusal = async (changed: Partial<UploadConfig> = {}): Promise<string> => {
      const { error } = await upload(what, changed)
      expect(error?.hint).not.to.be.empty
      return `${error?.category} ${error?.code} ${error?.message}`
    }
    expect(await refusal({ directory: '/nowhere/at/all' })).to.match(
      /^configuration UPLOAD_DIRECTORY_MISSING .*\/nowhere/,
    )
    mkdirSync(tree)
    expect(await refusal(), 'root’s own').to.match(/^configuration UPLOAD_DENIED .*srv\/extra.*permission denied/)
    rmSync(tree, { recursive: true })
    writeFileSync(tree, 'a file')
    expect(await refusal()).to.match(/^publish UPLOAD_PATH_TAKEN .*srv\/extra/)
    rmSync(tree)
    mkdirSync(join(tree, ARCH, 'extra.db'), { recursive: true })
    expect(await refusal(), 'a directory in a file’s place').to.match(/^publish UPLOAD_PATH_TAKEN .*extra\.db/)
    expect(await refusal({ symlinks: true })).to.match(/^publish UPLOAD_LAYOUT .*srv\/extra is a directory/)
    expect(readdirSync(join(tree, ARCH, 'extra.db'))).to.deep.equal([])
    rmSync(tree, { recursive: true })
    expect((await upload(what, { symlinks: true })).error).to.equal(undefined)
    expect(await refusal()).to.match(/^publish UPLOAD_LAYOUT .*a link to a generation/)
  })

  it('refuses a generation without a database, which would remove everything', async () => {
    const what = generation(directory(), 1, one)
    await upload(what)
    rmSync(join(what.directory, 'os'), { recursive: true })
    expect(await failure(() => upload(what, {}, 0))).to.include({ code: 'UPLOAD_UNSUPPORTED' })
    expect(trouble(tree)).to.equal(undefined)
  })

  it('removes what an upload was writing when it was killed', async () => {
    const left = join(tree, ARCH, `.treeswap-upload-${fileOf('a-1-1')}.tmp`)
    mkdirSync(join(tree, ARCH), { recursive: true })
    writeFileSync(left, 'half')
    for (const path of [tree, join(tree, 'os'), join(tree, ARCH)]) chownSync(path, host.account.uid, host.account.gid)
    expect((await upload(generation(directory(), 1, one))).error).to.equal(undefined)
    expect(readdirSync(join(tree, ARCH)).filter((name) => name.startsWith('.'))).to.deep.equal([])
  })
})

function kindOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  if (!name.includes('.pkg.')) return name
  return name.endsWith('.sig') ? 'signature' : 'package'
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
