import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import type { UploadConfig } from '../../src/config/uploads.js'
import { uploadTree } from '../../src/upload/upload.js'
import type { Upload, UploadReport } from '../../src/upload/upload.js'
import { needsRoot } from '../lab/needs-root.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { startCut } from './cut.js'
import { databaseMatches, generation, trouble } from './generation.js'
import { startWebHost } from './web-host.js'
import type { WebHost } from './web-host.js'

const old = { 'a-1-1': 'a one', 'b-1-1': 'b'.repeat(50_000), 'c-1-1': 'c one', 'd-1-1': 'd one' }
const now = { 'b-1-1': old['b-1-1'], 'a-2-1': 'a two', 'c-1-2': 'c'.repeat(90_000), 'd-1-1': 'd one', 'e-1-1': 'e' }

/** Places at which each upload is broken off, evenly over all of its bytes. */
const PLACES = 16

describe('an upload whose connection breaks off', function () {
  this.timeout(400_000)
  before(needsRoot)

  const directory = temporaryDirectory()
  let host: WebHost
  let first: Upload
  let second: Upload
  before(async () => {
    host = await startWebHost()
  })
  after(() => (host as WebHost | undefined)?.stop())
  beforeEach(() => {
    first = generation(directory(), 1, old)
    second = generation(directory(), 2, now)
  })

  const tree = (): string => join(host.top, 'extra')
  // without grace, what the old database names goes at once: too early would be seen
  const upload = (what: Upload, changed: Partial<UploadConfig>, pauses: number[] = []): Promise<UploadReport> =>
    uploadTree(what, { ...host.config, ...changed }, { graceSeconds: 0, pauses }, silent)
  const empty = (): void => readdirSync(host.top).forEach((name) => rmSync(join(host.top, name), { recursive: true }))

  for (const symlinks of [false, true]) {
    for (const direction of ['requests', 'answers'] as const) {
      it(`leaves a whole repo wherever that is in the ${direction}, and goes on there (symlinks: ${symlinks})`, async () => {
        empty()
        const saved = join(directory(), 'saved')
        await upload(first, { symlinks })
        execFileSync('cp', ['-a', host.top, saved])
        const whole = await startCut(host.port, Infinity, direction)
        const complete = await upload(second, { symlinks, port: whole.port })
        await whole.stop()
        expect(complete.error).to.equal(undefined)

        const straddles: number[] = []
        let broken = 0
        for (let place = 0; place < PLACES; place++) {
          const after = Math.floor((whole.passed() * (place + 0.5)) / PLACES)
          empty()
          execFileSync('cp', ['-a', `${saved}/.`, host.top])
          const cut = await startCut(host.port, after, direction)
          const { error, files } = await upload(second, { symlinks, port: cut.port })
          await cut.stop()
          const where = `cut after ${after} of ${whole.passed()} bytes: ${error?.message}`
          if (error !== undefined) broken++
          if (error !== undefined) expect(error.code, where).to.match(/^UPLOAD_(LOST|UNREACHABLE)$/)
          expect(trouble(tree()), where).to.equal(undefined)
          if (!databaseMatches(tree())) straddles.push(after)
          const rest = await upload(second, { symlinks })
          expect(rest.error, where).to.equal(undefined)
          expect(rest.files, where).to.be.at.most(complete.files - files)
          expect(trouble(tree()), where).to.equal(undefined)
          expect(databaseMatches(tree())).to.equal(true)
          const left = execFileSync('find', [host.top, '-name', '*.tmp', '-o', '-name', 'a-1-1*'], { encoding: 'utf8' })
          expect(left, where).to.equal('')
          expect(await upload(second, { symlinks })).to.include({ files: 0, removed: 0 })
        }
        expect(broken, 'the cuts were in the upload').to.be.at.least(PLACES - 3)
        expect(straddles.length, `database without its signature: ${straddles.join(', ')}`).to.be.at.most(
          symlinks ? 0 : 1,
        )
      })
    }
  }

  it('comes to its end over many connections, though none lasts, and sends no file twice', async () => {
    empty()
    await upload(first, {})
    host.done()
    const names = Array.from({ length: 12 }, (_, n) => `p${n}-1-1`)
    const what = generation(directory(), 3, Object.fromEntries(names.map((name) => [name, name.repeat(60_000)])))
    const cut = await startCut(host.port, 1_500_000, 'requests')
    const report = await upload(what, { port: cut.port }, Array<number>(10).fill(1))
    await cut.stop()
    expect(report.error).to.equal(undefined)
    expect(cut.passed(), 'several connections').to.be.greaterThan(4_500_000)
    const packages = host.done().renamed.filter((path) => path.endsWith('.zst'))
    expect(packages).to.have.length(12)
    expect(new Set(packages).size).to.equal(12)
    expect(report.files).to.be.within(25, 28)
    expect(trouble(tree())).to.equal(undefined)
  })
})
