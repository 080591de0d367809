import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { openDirectorySource } from '../../src/artifact/source.js'
import { check } from '../../src/publish/check.js'
import type { TreeKey } from '../../src/publish/options.js'
import { publish } from '../../src/publish/publish.js'
import type { Publication } from '../../src/publish/publish.js'
import { openSigner } from '../../src/signing/open-signer.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { pull } from '../../src/store/pull.js'
import { publishedNumber } from '../../src/store/references.js'
import { needsRoot } from '../lab/needs-root.js'
import type { PackageParts } from '../lab/pacman-package.js'
import { silent } from '../lab/silent.js'
import { makeKey } from '../signing/keys.js'
import { contentOf, failure } from '../store/machine.js'
import { archiveRepo } from '../store/repo.js'
import { compileDriver, needsStrace, runTampered } from './injection.js'

describe('a signed pacman repo whose disk is full', function () {
  this.timeout(300_000)
  before(needsRoot)
  before(needsStrace)

  let directory: string
  let root: string
  let store: Store
  let signing: TreeKey
  let driver: string
  let keyFile: string

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'treeswap-signed-disk-'))
    root = join(directory, 'store')
    mkdirSync(root)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', root])
    store = openStore(root, { create: true })
    const { config } = await makeKey(join(directory, 'keys'))
    signing = { fingerprint: config.fingerprint, open: () => openSigner(config, silent) }
    keyFile = join(directory, 'key.json')
    writeFileSync(keyFile, JSON.stringify(config))
    driver = compileDriver(directory)
    const packages: Record<string, PackageParts> = Object.fromEntries(
      Array.from({ length: 6 }, (_, at) => [`p${at}`, { content: String(at) }]),
    )
    await archiveRepo(join(directory, 'artifacts'), 1, packages)
    await archiveRepo(join(directory, 'artifacts'), 2, { ...packages, p0: { version: '2.0-1' }, more: {}, most: {} })
    for (const number of [1, 2]) {
      await pull(store, openDirectorySource(`dir:${join(directory, 'artifacts')}`), 'lab', number, silent)
    }
    await put(1)
  })
  afterEach(() => {
    execFileSync('umount', [root])
    rmSync(directory, { recursive: true, force: true })
  })

  const put = (number: number): Promise<Publication> =>
    publish(store, 'lab', number, { graceSeconds: 86_400, trial: false, signing }, silent)
  const tampered = (injection: string) => runTampered(driver, injection, [root, 'publish', '2', '', 'lab', keyFile])

  async function expectAsBefore(before: Record<string, string>): Promise<void> {
    expect(publishedNumber(store, 'lab')).to.equal(1)
    expect(contentOf(store.pointer('lab'))).to.deep.equal(before)
    expect(await check(store, silent)).to.deep.equal([])
    expect(readdirSync(join(root, 'incoming'))).to.deep.equal([])
  }

  it('serves what it served and is sound, and publishes by the same command when there is room', async () => {
    const before = contentOf(store.pointer('lab'))
    const room = Number(execFileSync('stat', ['-f', '-c', '%a', root]).toString()) * 4096
    // nothing at all, then enough for some of what is to be written
    for (const left of [0, 3, 8, 12, 16]) {
      writeFileSync(join(root, 'ballast'), Buffer.alloc(room - left * 4096))
      const error = await failure(put(2)).catch(() => undefined)
      rmSync(join(root, 'ballast'))
      if (left < 8 || error !== undefined) expect(error, `${left} blocks`).to.have.property('code', 'DISK')
      if (error === undefined) break
      await expectAsBefore(before)
    }
    expect(await put(2)).to.include({ signed: signing.fingerprint })
    expect(await check(store, silent)).to.deep.equal([])
  })

  for (const [call, error] of [
    ['link', 'ENOSPC'],
    ['mkdir', 'EDQUOT'],
    ['rename', 'ENOSPC'],
  ] as const) {
    it(`at whichever ${call} it is found to be (${error}), clients notice nothing, and the next publish is whole`, async () => {
      const before = contentOf(store.pointer('lab'))
      let failed = 0
      for (const when of [1, 2, 3, 5, 8, 12, 20, 30]) {
        const { code, output } = await tampered(`${call}:error=${error}:when=${when}`)
        if (publishedNumber(store, 'lab') === 2) break
        // what node itself writes to its threads is no disk, and may end it
        if (code === 1) expect(output, output).to.match(/DISK|LOCK|SYNC|PROGRAM/)
        failed++
        await expectAsBefore(before)
      }
      expect(failed).to.be.greaterThan(0)
      await put(2)
      expect(publishedNumber(store, 'lab')).to.equal(2)
      expect(await check(store, silent)).to.deep.equal([])
    })
  }

  for (const call of ['rename', 'link', 'fsync', 'symlink']) {
    it(`killed at any ${call} while it signs and publishes, is whole, and so is the next publish`, async () => {
      let killed = 0
      for (let when = 1; when <= 24; when += 2) {
        const { code } = await tampered(`${call}:signal=KILL:when=${when}`)
        if (code === 0) break
        killed++
        const findings = (await check(store, silent)).filter(({ kind }) => kind !== 'foreign')
        expect(findings).to.deep.equal([])
        if (publishedNumber(store, 'lab') === 2) await put(1)
      }
      expect(killed).to.be.greaterThan(0)
      await put(2)
      expect(publishedNumber(store, 'lab')).to.equal(2)
    })
  }
})
