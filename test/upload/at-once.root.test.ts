import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { Context } from '../../src/model/report.js'
import { uploadTree } from '../../src/upload/upload.js'
import type { Upload, UploadReport } from '../../src/upload/upload.js'
import { needsRoot } from '../lab/needs-root.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { startCut } from './cut.js'
import { ARCH, databaseMatches, fileOf, generation, trouble } from './generation.js'
import { startWebHost } from './web-host.js'
import type { WebHost } from './web-host.js'

const big = 'B'.repeat(900_000)

describe('two publishers that upload one tree to one directory at once', function () {
  this.timeout(60_000)
  before(needsRoot)

  const directory = temporaryDirectory()
  const other = temporaryDirectory()
  let host: WebHost
  let tree: string
  before(async () => {
    host = await startWebHost()
    tree = join(host.top, 'extra')
  })
  after(() => (host as WebHost | undefined)?.stop())
  beforeEach(() => {
    host.empty()
  })

  const upload = (what: Upload, port = host.port, context: Context = silent): Promise<UploadReport> =>
    uploadTree(what, { ...host.config, port }, { graceSeconds: 0, pauses: [] }, context)

  /** Uploads, and has its server stand still from the first file that is in place on, while `meanwhile` goes on. */
  const haltedFor = async (what: Upload, meanwhile: () => Promise<unknown>): Promise<UploadReport> => {
    let server = 0
    let first: Promise<UploadReport> | undefined
    const halted = new Promise<void>((resolve) => {
      const progress = (): void => {
        if (server !== 0) return
        process.kill((server = host.sftpServer()), 'SIGSTOP')
        resolve()
      }
      first = upload(what, host.port, { ...silent, report: { ...silent.report, progress } })
    })
    await halted
    try {
      await meanwhile()
    } finally {
      process.kill(server, 'SIGCONT')
    }
    return await first!
  }

  it('never put in place what the other was still writing, though that one is gone', async () => {
    const packages = { 'a-1-1': 'a one', 'big-1-1': big }
    const report = await haltedFor(generation(directory(), 1, packages), async () => {
      const cut = await startCut(host.port, 400_000, 'requests')
      const { error } = await upload(generation(other(), 1, packages), cut.port)
      await cut.stop()
      expect(error).to.include({ code: 'UPLOAD_LOST' })
    })
    expect(report.error).to.include({ code: 'UPLOAD_DISTURBED', category: 'publish' })
    expect(readdirSync(join(tree, ARCH))).not.to.include(fileOf('big-1-1'))
    expect((await upload(generation(directory(), 2, packages))).error).to.equal(undefined)
    expect(trouble(tree)).to.equal(undefined)
    expect(readdirSync(join(tree, ARCH)).filter((name) => name.startsWith('.'))).to.deep.equal([])
  })

  it('never put a database in the place of the other’s', async () => {
    const theirs = { 'c-1-1': 'c one' }
    const report = await haltedFor(generation(directory(), 1, { 'a-1-1': 'a one' }), async () => {
      expect((await upload(generation(other(), 2, theirs))).error).to.equal(undefined)
    })
    expect(report.error).to.include({ code: 'UPLOAD_DISTURBED' })
    expect(readFileSync(join(tree, ARCH, 'extra.db'), 'utf8')).to.include(fileOf('c-1-1'))
    expect([trouble(tree), databaseMatches(tree)]).to.deep.equal([undefined, true])
  })
})
