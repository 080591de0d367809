import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { keyringPackage } from '../../src/arch/keyring-package.js'
import { openDirectorySource } from '../../src/artifact/source.js'
import type { KeyConfig } from '../../src/config/keys.js'
import { parseReference } from '../../src/model/reference.js'
import { check } from '../../src/publish/check.js'
import type { TreeKey } from '../../src/publish/options.js'
import { publish, rollback } from '../../src/publish/publish.js'
import type { Publication, PublishOptions } from '../../src/publish/publish.js'
import { acceptedKeys } from '../../src/signing/accepted-keys.js'
import { openSigner } from '../../src/signing/open-signer.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { pull } from '../../src/store/pull.js'
import type { PackageParts } from '../lab/pacman-package.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { closeHome, openHome } from '../signing/gpg.js'
import { makeKey, writeSecret } from '../signing/keys.js'
import { failure } from '../store/machine.js'
import { archiveRepo } from '../store/repo.js'

const packager = 'Nobody <nobody@example.org>'

describe('a key that signs a pacman repo for the first time', function () {
  this.timeout(60_000)
  const directory = temporaryDirectory()
  let store: Store
  let first: KeyConfig
  let second: KeyConfig

  beforeEach(async () => {
    store = openStore(join(directory(), 'store'), { create: true })
    first = await key('first')
    second = await key('second')
  })

  const key = async (name: string): Promise<KeyConfig> => (await makeKey(join(directory(), 'keys'), { name })).config
  const signing = (config: KeyConfig): TreeKey => ({
    fingerprint: config.fingerprint,
    open: () => openSigner(config, silent),
    accepted: () => acceptedKeys(config),
  })

  /** Takes a build into the store whose keyring package has clients trust some keys; none: it has no such package. */
  async function pulled(
    number: number,
    trusted: KeyConfig[],
    { revoked = [], packages = { one: {} } }: { revoked?: KeyConfig[]; packages?: Record<string, PackageParts> } = {},
  ): Promise<void> {
    const artifacts = join(directory(), 'artifacts')
    const keyring = trusted.length === 0 ? undefined : await keyringPackage('lab', trusted, revoked, packager)
    const files = keyring && { [keyring.fileName]: keyring.bytes }
    await archiveRepo(artifacts, number, packages, { ...(files && { files }) })
    await pull(store, openDirectorySource(`dir:${artifacts}`), 'lab', number, silent)
  }

  const put = (number: number, sign?: KeyConfig, options: PublishOptions = {}): Promise<Publication> =>
    publish(
      store,
      'lab',
      number,
      { graceSeconds: 86_400, trial: false, ...(sign && { signing: signing(sign) }), ...options },
      silent,
    )
  const served = (): string[] => readdirSync(join(store.pointer('lab'), 'os/x86_64'))

  const listed = (name: string): string[] =>
    existsSync(join(store.root, name)) ? readdirSync(join(store.root, name)) : []

  async function refused(publication: Promise<Publication>, named: string): Promise<void> {
    const before = listed('published/.generations')
    const derived = listed('derived')
    const error = await failure(publication)
    expect(error).to.include({ code: 'KEY_NOT_ANNOUNCED', category: 'publish' })
    expect(error.message).to.include(named)
    expect(error.hint).to.include('--new-key')
    expect(listed('published/.generations')).to.deep.equal(before)
    expect(listed('derived'), 'nothing was signed').to.deep.equal(derived)
  }

  it('is taken where nothing was published: clients get it by hand', async () => {
    await pulled(1, [])
    expect(await put(1, first)).to.include({ signed: first.fingerprint })
    await pulled(2, [])
    expect(await put(2, first), 'and they have it').to.include({ serial: 2 })
  })

  it('is refused where clients know no key, until the published keyring names it', async () => {
    await pulled(1, [])
    await put(1)
    await refused(put(1, first), first.fingerprint)
    await pulled(2, [first])
    await refused(put(2, first), first.fingerprint)
    await put(2)
    expect(await put(2, first)).to.include({ already: false, signed: first.fingerprint })
  })

  it('is refused where clients know another one only, until the published keyring names both', async () => {
    await pulled(1, [first])
    await put(1, first)
    await refused(put(1, second), second.fingerprint)
    await pulled(2, [first, second])
    await refused(put(2, second), second.fingerprint)
    await put(2, first)
    await pulled(3, [first, second], { packages: { one: { version: '2.0-1' } } })
    expect(await put(3, second)).to.include({ signed: second.fingerprint })
    expect(await put(3, first), 'and back again').to.include({ signed: first.fingerprint })
  })

  it('is refused where clients were told of it, but no longer are', async () => {
    await pulled(1, [first, second])
    await put(1, first)
    await pulled(2, [first], { revoked: [second] })
    await put(2, first)
    await refused(put(2, second), second.fingerprint)
    await refused(rollback(store, parseReference('lab@1'), { trial: false, signing: signing(second) }, silent), '@2')
    await pulled(3, [])
    await put(3, undefined, { unsigned: true })
    await refused(put(3, first), first.fingerprint)
  })

  it('is refused also where only the generations tell what was published', async () => {
    await pulled(1, [first])
    await put(1, first)
    rmSync(store.state('lab'))
    await refused(put(1, second), second.fingerprint)
    expect(await put(1, first)).to.include({ already: true })
  })

  it('is taken where somebody insists; from then on clients are held to have it', async () => {
    await pulled(1, [first])
    await put(1, first)
    expect(await put(1, second, { newKey: true })).to.include({ signed: second.fingerprint })
    await pulled(2, [first], { packages: { one: { version: '2.0-1' } } })
    expect(await put(2, second)).to.include({ signed: second.fingerprint })
  })

  it('is refused where only a subkey is new, until the published keyring has it', async () => {
    const unlocked = ['--pinentry-mode', 'loopback', '--passphrase', '']
    const home = openHome(mkdtempSync(join(tmpdir(), 'gpg-')))
    try {
      home.run([...unlocked, '--quick-gen-key', 'Packages <packages@example.org>', 'ed25519', 'cert', '2y'])
      const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(home.run(['--with-colons', '--list-keys']))![1]!
      const files = { publicFile: join(directory(), 'key.asc'), secretFile: join(directory(), 'key.secret.asc') }
      const config: KeyConfig = { name: 'main', fingerprint, ...files, passphraseFile: undefined, gpg: undefined }
      const write = (secret: string): void => {
        writeFileSync(files.publicFile, home.run(['--armor', '--export', fingerprint]))
        writeSecret(files.secretFile, home.run([...unlocked, '--armor', '--export-secret-subkeys', secret]))
      }
      const addSubkey = (): void =>
        void home.run([...unlocked, '--quick-add-key', fingerprint, 'ed25519', 'sign', '1y'])
      addSubkey()
      write(fingerprint)
      await pulled(1, [config])
      await put(1, config)
      const old = (await openSigner(config, silent)).signingKey

      addSubkey()
      write(fingerprint)
      const { signingKey } = await openSigner(config, silent)
      expect(signingKey).not.to.equal(old)
      await refused(put(1, config), signingKey)
      await pulled(2, [config])
      await refused(put(2, config), signingKey)

      write(`${old}!`)
      expect((await openSigner(config, silent)).signingKey, 'what the hint says').to.equal(old)
      await put(2, config)
      write(fingerprint)
      await pulled(3, [config], { packages: { one: { version: '2.0-1' } } })
      expect(await put(3, config)).to.include({ already: false })
      expect(readFileSync(join(store.pointer('lab'), '.treeswap.json'), 'utf8')).to.include(signingKey)
    } finally {
      closeHome(home)
    }
  })

  it('leaves no signature beside what the database of an unsigned generation names, whatever was before', async () => {
    await pulled(1, [first], { packages: { one: {}, two: {} } })
    await pulled(2, [first], { packages: { one: {}, two: { version: '2.0-1' } } })
    await put(1, first)
    const signatures = (): string[] => served().filter((name) => name.endsWith('.sig'))
    const kept = ['two-1.0-1-any.pkg.tar.zst.sig']
    await put(1, undefined, { unsigned: true })
    expect(signatures()).to.deep.equal([])
    await put(1, first)
    await put(2, undefined, { unsigned: true })
    expect(signatures(), 'clients with the database of before demand it').to.deep.equal(kept)
    await put(1)
    expect(signatures(), 'a database names it again').to.deep.equal([])
    expect(await check(store, silent)).to.deep.equal([])
  })
})
