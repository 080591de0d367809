import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openDirectorySource } from '../../src/artifact/source.js'
import { objectKey } from '../../src/model/object-key.js'
import { parseReference } from '../../src/model/reference.js'
import { check } from '../../src/publish/check.js'
import type { TreeKey } from '../../src/publish/options.js'
import { publish, rollback } from '../../src/publish/publish.js'
import type { Publication, PublishOptions } from '../../src/publish/publish.js'
import { publishedBuild } from '../../src/publish/status.js'
import { openSigner } from '../../src/signing/open-signer.js'
import { findSignature } from '../../src/signing/signatures.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { pull } from '../../src/store/pull.js'
import { HostPacman, needsPacman } from '../lab/host-pacman.js'
import { pacmanPackage } from '../lab/pacman-package.js'
import type { PackageParts } from '../lab/pacman-package.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { makeKey } from '../signing/keys.js'
import { failure, sha256 } from '../store/machine.js'
import { archiveRepo } from '../store/repo.js'

const REQUIRED = 'Required DatabaseRequired'
const one = 'one-1.0-1-any.pkg.tar.zst'
const everything = ['lab.db', 'lab.db.sig', 'lab.files', 'lab.files.sig', 'lab.gpg', one, `${one}.sig`]

describe('publishing a signed pacman repo', function () {
  this.timeout(60_000)
  const directory = temporaryDirectory()
  let store: Store

  beforeEach(async () => {
    store = openStore(join(directory(), 'store'), { create: true })
    await pulled(1, { one: {} })
  })

  async function pulled(number: number, packages: Record<string, PackageParts>): Promise<void> {
    const artifacts = join(directory(), 'artifacts')
    await archiveRepo(artifacts, number, packages)
    await pull(store, openDirectorySource(`dir:${artifacts}`), 'lab', number, silent)
  }

  async function key(name = 'main'): Promise<TreeKey> {
    const { config } = await makeKey(join(directory(), 'keys'), { name })
    return { fingerprint: config.fingerprint, open: () => openSigner(config, silent) }
  }

  /** As where the secret key is elsewhere. */
  const locked = ({ fingerprint }: TreeKey): TreeKey => ({
    fingerprint,
    open: () => Promise.reject(new Error('nobody was to read the secret key')),
  })

  const put = (number: number, options: PublishOptions = {}): Promise<Publication> =>
    publish(store, 'lab', number, { graceSeconds: 86_400, trial: false, ...options }, silent)
  const top = (): string => join(store.pointer('lab'), 'os/x86_64')
  const served = (): string[] => readdirSync(top()).sort()
  let clients = 0
  const client = (fingerprint: string): HostPacman => {
    const place = join(directory(), `client-${++clients}`)
    mkdirSync(place)
    const made = new HostPacman(place, [{ name: 'lab', server: `file://${top()}`, sigLevel: REQUIRED }])
    made.trust(join(top(), 'lab.gpg'), fingerprint)
    return made
  }

  it('gives clients that demand signatures what they need, and the public key', async function () {
    needsPacman.call(this)
    const signing = await key()
    expect(await put(1, { signing, trial: true })).to.include({ already: false, signed: signing.fingerprint })
    expect(served()).to.deep.equal(everything)
    const machine = client(signing.fingerprint)
    expect(machine.run('-Syu', 'one')).to.include({ exitCode: 0 })
    expect(machine.run('-Fy').exitCode).to.equal(0)
    expect(machine.installed()).to.deep.equal(['one 1.0-1'])
    expect(publishedBuild(store, 'lab')).to.include({ signed: signing.fingerprint })
    writeFileSync(join(top(), 'lab.db'), Buffer.concat([readFileSync(join(top(), 'lab.db')), Buffer.from('x')]))
    expect(client(signing.fingerprint).run('-Sy').exitCode, 'an altered database').not.to.equal(0)
  })

  it('is done without the secret key where nothing is to be signed: published already, checked', async () => {
    const signing = await key()
    await put(1, { signing })
    expect(await put(1, { signing: locked(signing) })).to.include({ already: true, serial: 1 })
    expect(await check(store, silent)).to.deep.equal([])
  })

  it('never leaves out signatures by mistake', async () => {
    const signing = await key()
    await put(1, { signing })
    await pulled(2, { one: {}, two: {} })
    for (const again of [() => put(1), () => put(2), () => rollback(store, parseReference('lab@1'), {}, silent)]) {
      const error = await failure(again())
      expect(error).to.have.property('code', 'SIGNING_KEY_MISSING')
      expect(error.message).to.include(signing.fingerprint)
    }
    rmSync(store.state('lab'))
    rmSync(store.pointer('lab'))
    expect(await failure(put(2)), 'also where only the generation tells').to.have.property(
      'code',
      'SIGNING_KEY_MISSING',
    )
    await put(2, { unsigned: true, signing })
    expect(served().filter((name) => name.endsWith('.db.sig'))).to.deep.equal([])
    await put(1)
  })

  it('makes a new generation of the same build where signing begins, and where the key changes', async function () {
    needsPacman.call(this)
    await put(1)
    const [first, second] = [await key('first'), await key('second')]
    expect(await put(1, { signing: first, newKey: true })).to.include({ already: false, serial: 2 })
    expect(client(first.fingerprint).run('-Syu', 'one').exitCode).to.equal(0)
    expect(await put(1, { signing: second, newKey: true })).to.include({ already: false, serial: 3 })
    expect(served()).to.deep.equal(everything)
    expect(client(second.fingerprint).run('-Syu', 'one').exitCode).to.equal(0)
  })

  it('signs a build that it goes back to, though it never was signed', async function () {
    needsPacman.call(this)
    await pulled(2, { one: { version: '2.0-1' } })
    await put(1)
    const signing = await key()
    await put(2, { signing, newKey: true })
    expect(served(), 'what clients of the index before may ask for').to.include(one).but.not.include(`${one}.sig`)
    await rollback(store, parseReference('lab'), { signing, trial: false }, silent)
    const machine = client(signing.fingerprint)
    expect(machine.run('-Syu', 'one').exitCode).to.equal(0)
    expect(machine.installed()).to.deep.equal(['one 1.0-1'])
    expect(served(), 'what was superseded keeps its signature').to.include('one-2.0-1-any.pkg.tar.zst.sig')
    expect(await check(store, silent)).to.deep.equal([])
  })

  it('finds lost signatures, and makes them anew', async () => {
    const signing = await key()
    await put(1, { signing })
    rmSync(join(top(), `${one}.sig`))
    expect((await check(store, silent)).map(({ kind, path }) => [kind, path])).to.deep.equal([
      ['missing', `published/.generations/lab.1/os/x86_64/${one}.sig`],
    ])
    expect(await put(1, { signing })).to.include({ serial: 2 })
    const package1 = objectKey(sha256(pacmanPackage('one').bytes), false)
    const signature = findSignature(store, signing.fingerprint, package1)!
    rmSync(store.object(signature.key))
    const findings = await check(store, silent)
    expect(findings.map(({ hint }) => hint).join()).to.include(signing.fingerprint)
    expect(await put(1, { signing })).to.include({ serial: 3 })
    const published = await check(store, silent)
    expect(published.filter(({ path }) => !path.includes('lab.1/'))).to.deep.equal([])
  })

  it('asks for no publish of a build that is no longer published, only because its signatures can be made anew', async () => {
    const signing = await key()
    await put(1, { signing })
    await pulled(2, { two: {} })
    await put(2, { signing })
    rmSync(join(store.root, 'derived'), { recursive: true })
    const hints = (await check(store, silent)).map(({ builds, hint }) => `${builds.join()}: ${hint}`)
    expect(hints).to.have.length(2)
    expect(hints.find((hint) => hint.startsWith('lab@1')))
      .to.include('removed when its grace')
      .and.not.include('publish lab@1')
    expect(await put(2, { signing })).to.include({ already: false })
  })

  describe('tries it first', () => {
    before(needsPacman)

    const nothingChanged = (): void => {
      expect(readdirSync(join(store.root, 'published/.generations'))).to.deep.equal(['lab.1'])
      expect(publishedBuild(store, 'lab')?.serial).to.equal(1)
      expect(readdirSync('/tmp').filter((name) => name.startsWith('treeswap-trial-') && isOurs(name))).to.deep.equal([])
    }
    const isOurs = (name: string): boolean => existsSync(join('/tmp', name, 'db/sync/lab.db'))

    it('and serves nothing whose signature pacman does not take', async () => {
      const signing = await key()
      await put(1, { signing })
      await pulled(2, { one: {}, two: {} })
      const signer = await signing.open()
      const other = await (await key('other')).open()
      const wrong: TreeKey = {
        ...signing,
        open: () => Promise.resolve({ ...signer, detached: (content) => other.detached(content) }),
      }
      const error = await failure(put(2, { signing: wrong, trial: true }))
      expect(error).to.have.property('code', 'PUBLISH_TRIAL')
      nothingChanged()
      expect((await put(2, { signing, trial: true })).already).to.equal(false)
    })

    it('and says where there is no gpg; signatures that are no good are found all the same', async () => {
      const bin = join(directory(), 'bin')
      mkdirSync(bin)
      for (const from of ['/usr/bin', '/usr/sbin'].filter(existsSync)) {
        for (const name of readdirSync(from)) {
          if (!name.startsWith('gpg') && !existsSync(join(bin, name))) symlinkSync(join(from, name), join(bin, name))
        }
      }
      const signing = await key()
      const signer = await signing.open()
      const other = await (await key('other')).open()
      const wrong: TreeKey = {
        ...signing,
        open: () => Promise.resolve({ ...signer, detached: (content) => other.detached(content) }),
      }
      const { PATH } = process.env
      const warnings: string[] = []
      const context = { ...silent, report: { ...silent.report, warn: (text: string) => warnings.push(text) } }
      try {
        process.env.PATH = bin
        const refused = await failure(publish(store, 'lab', 1, { signing: wrong }, context))
        expect(refused).to.include({ code: 'SIGNATURE_BAD' })
        expect(publishedBuild(store, 'lab')).to.equal(undefined)
        for (const name of readdirSync(join(store.root, 'derived', signing.fingerprint))) {
          rmSync(join(store.root, 'derived', signing.fingerprint, name))
        }
        expect(await publish(store, 'lab', 1, { signing }, context)).to.include({ already: false })
      } finally {
        process.env.PATH = PATH
      }
      expect(warnings.join()).to.include('gpg').and.to.include(signing.fingerprint)
    })

    it('and serves nothing whose package is not what its database says', async () => {
      await put(1)
      await pulled(2, { a: { content: 'x' } })
      const { bytes } = pacmanPackage('a', { content: 'x' })
      const object = store.object(objectKey(sha256(bytes), false))
      await put(2)
      await rollback(store, parseReference('lab@1'), { trial: false, graceSeconds: 0 }, silent)
      await put(1, { graceSeconds: 0 })
      rmSync(object)
      writeFileSync(object, Buffer.from(bytes.map((byte, at) => (at === 30 ? byte ^ 1 : byte))))
      const error = await failure(put(2, { trial: true }))
      expect(error).to.have.property('code', 'PUBLISH_TRIAL')
      expect(error.hint).to.include('--no-trial')
      expect(publishedBuild(store, 'lab')?.build).to.equal(1)
    })
  })
})
