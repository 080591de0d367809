import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { expect } from 'chai'
import { openDirectorySource } from '../../src/artifact/source.js'
import type { KeyConfig } from '../../src/config/keys.js'
import { check } from '../../src/publish/check.js'
import type { TreeKey } from '../../src/publish/options.js'
import { publish } from '../../src/publish/publish.js'
import type { Publication } from '../../src/publish/publish.js'
import { outdatedPublished } from '../../src/publish/status.js'
import { acceptedKeys } from '../../src/signing/accepted-keys.js'
import { openSigner } from '../../src/signing/open-signer.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { pull } from '../../src/store/pull.js'
import { HostPacman, needsPacman } from '../lab/host-pacman.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { closeHome, openHome } from '../signing/gpg.js'
import type { GpgHome } from '../signing/gpg.js'
import { writeSecret } from '../signing/keys.js'
import { archiveRepo } from '../store/repo.js'

const UNLOCKED = ['--pinentry-mode', 'loopback', '--passphrase', '']

describe('publishing again what a key signed whose subkey has changed', function () {
  this.timeout(60_000)
  before(needsPacman)

  const directory = temporaryDirectory()
  let home: GpgHome
  let config: KeyConfig
  let signing: TreeKey
  let store: Store

  beforeEach(async () => {
    home = openHome(mkdtempSync(join(tmpdir(), 'gpg-')))
    home.run([...UNLOCKED, '--quick-gen-key', 'Packages <packages@example.org>', 'ed25519', 'cert', '2y'])
    const fingerprint = /^fpr:+([0-9A-F]{40}):/m.exec(home.run(['--with-colons', '--list-keys']))![1]!
    const files = { publicFile: join(directory(), 'key.asc'), secretFile: join(directory(), 'key.secret.asc') }
    config = { name: 'main', fingerprint, ...files, passphraseFile: undefined, gpg: undefined }
    signing = { fingerprint, open: () => openSigner(config, silent), accepted: () => acceptedKeys(config) }
    addSubkey()
    write()
    store = openStore(join(directory(), 'store'), { create: true })
    const artifacts = join(directory(), 'artifacts')
    await archiveRepo(artifacts, 1, { one: {} })
    await pull(store, openDirectorySource(`dir:${artifacts}`), 'lab', 1, silent)
  })
  afterEach(() => {
    closeHome(home)
  })

  const addSubkey = (): void => {
    home.run([...UNLOCKED, '--quick-add-key', config.fingerprint, 'ed25519', 'sign', '1y'])
  }
  /** As an administrator writes the key's files anew. */
  function write(): void {
    writeFileSync(config.publicFile, home.run(['--armor', '--export', config.fingerprint]))
    writeSecret(config.secretFile!, home.run([...UNLOCKED, '--armor', '--export-secret-keys', config.fingerprint]))
  }
  const edit = (...commands: string[]): void => {
    const answers = [...commands, 'save'].join('\n') + '\n'
    home.run([...UNLOCKED, '--command-fd', '0', '--edit-key', config.fingerprint], answers)
  }
  const revokeFirst = (): void => {
    edit('key 1', 'revkey', 'y', '1', '', 'y')
  }
  const put = (warnings: string[] = []): Promise<Publication> => {
    const context = { ...silent, report: { ...silent.report, warn: (text: string) => warnings.push(text) } }
    return publish(store, 'lab', 1, { graceSeconds: 86_400, trial: true, signing }, context)
  }
  let clients = 0
  /** A machine that has the key as its administrator has it now. */
  function installs(): boolean {
    const place = join(directory(), `client-${++clients}`)
    mkdirSync(place)
    const server = `file://${join(store.pointer('lab'), 'os/x86_64')}`
    const client = new HostPacman(place, [{ name: 'lab', server, sigLevel: 'Required DatabaseRequired' }])
    client.trust(config.publicFile, config.fingerprint)
    return client.run('-Sy').exitCode === 0 && client.run('-S', 'one').exitCode === 0
  }

  it('makes new signatures where the old one was revoked, and says why', async () => {
    expect(await put()).to.include({ already: false, serial: 1 })
    expect(await put()).to.include({ already: true, serial: 1 })
    expect(installs()).to.equal(true)
    const old = (await signing.open()).signingKey
    revokeFirst()
    addSubkey()
    write()
    expect(installs(), 'clients refuse what the old one signed').to.equal(false)
    const keyOf = (): TreeKey => signing
    const findings = await check(store, silent, keyOf)
    expect(findings.map(({ kind, path }) => [kind, path])).to.deep.equal([['outdated', 'published/.generations/lab.1']])
    expect(findings[0]!.hint).to.include(old).and.to.include('lab@published')
    expect(await outdatedPublished(store, 'lab', signing)).to.include(old)

    const warnings: string[] = []
    expect(await put(warnings)).to.include({ already: false, serial: 2 })
    expect(warnings.join()).to.include(old)
    expect(installs()).to.equal(true)
    expect(await check(store, silent, keyOf), 'nor is what old generations have damaged').to.deep.equal([])
    expect(await outdatedPublished(store, 'lab', signing)).to.equal(undefined)
    expect(await put()).to.include({ already: true, serial: 2 })
  })

  it('gives new clients the public key as it is now: renewed, or with one more subkey', async () => {
    await put()
    const served = (): Buffer => readFileSync(join(store.pointer('lab'), 'os/x86_64/lab.gpg'))
    const before = served()
    home.run([...UNLOCKED, '--quick-set-expire', config.fingerprint, '3y'])
    write()
    expect(await outdatedPublished(store, 'lab', signing)).to.include('lab.gpg')
    expect(await put()).to.include({ already: false, serial: 2 })
    expect(served().equals(before)).to.equal(false)
    expect(installs()).to.equal(true)
    expect(await put()).to.include({ already: true, serial: 2 })
  })

  it('makes new signatures before the old subkey expires, once the secret of a new one is there', async () => {
    edit('key 1', 'expire', '20d')
    write()
    expect(await put()).to.include({ already: false, serial: 1 })
    const old = (await signing.open()).signingKey
    const inTime = readFileSync(config.secretFile!, 'utf8')
    await setTimeout(1100) // gpg's times are in seconds, and the newest subkey signs
    addSubkey()
    write()
    const renewed = readFileSync(config.secretFile!, 'utf8')
    writeSecret(config.secretFile!, inTime)
    expect(await put(), 'clients get the new public key first').to.include({ already: false, serial: 2 })
    expect(await put()).to.include({ already: true, serial: 2 })
    expect((await signing.open()).signingKey).to.equal(old)

    writeSecret(config.secretFile!, renewed)
    const why = await outdatedPublished(store, 'lab', signing)
    expect(why).to.match(new RegExp(`by ${old}, which expires on .*, in 19 days, and .* lasts longer`))
    const warnings: string[] = []
    expect(await put(warnings)).to.include({ already: false, serial: 3 })
    expect(warnings.join()).to.include(old)
    expect(await outdatedPublished(store, 'lab', signing)).to.equal(undefined)
    edit('key 1', 'revkey', 'y', '1', '', 'y')
    write()
    expect(installs(), 'nothing there is of the old one').to.equal(true)
    expect(await put(), 'of the new public key').to.include({ already: false, serial: 4 })
    expect(await put()).to.include({ already: true, serial: 4 })
  })

  it('is found by a check that has no configuration, when the time of the published key is over', async () => {
    await put()
    const day = 86_400_000
    const { now } = Date
    try {
      Date.now = () => now() + 400 * day
      const findings = await check(store, silent)
      expect(findings.map(({ kind }) => kind)).to.deep.equal(['outdated'])
    } finally {
      Date.now = now
    }
    expect(await check(store, silent)).to.deep.equal([])
  })
})
