import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { keyringPackage } from '../../src/arch/keyring-package.js'
import { openDirectorySource } from '../../src/artifact/source.js'
import type { KeyConfig } from '../../src/config/keys.js'
import { publish } from '../../src/publish/publish.js'
import { nginxConfiguration } from '../../src/serve/nginx.js'
import { pacmanConfiguration } from '../../src/serve/pacman.js'
import { openSigner } from '../../src/signing/open-signer.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { pull } from '../../src/store/pull.js'
import { needsRoot } from '../lab/needs-root.js'
import { PacmanClient } from '../lab/pacman-client.js'
import type { PacmanConfiguration } from '../lab/pacman-client.js'
import { freePorts } from '../lab/ports.js'
import { startNginx } from '../lab/servers.js'
import type { Server } from '../lab/servers.js'
import { silent } from '../lab/silent.js'
import { makeKey } from '../signing/keys.js'
import { failure } from '../store/machine.js'
import { archiveRepo } from '../store/repo.js'

const nothing = (): void => undefined
const OPTIONAL = 'SigLevel = Optional TrustAll'
const REQUIRED = 'SigLevel = Required DatabaseRequired'

describe('clients of a pacman repo whose keys change', function () {
  this.timeout(900_000)
  before(needsRoot)

  let directory: string
  let server: Server | undefined
  let store: Store
  let url: string
  let first: KeyConfig
  let second: KeyConfig
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'treeswap-keys-'))
    chmodSync(directory, 0o755)
    store = openStore(join(directory, 'store'), { create: true })
    first = (await makeKey(join(directory, 'keys'), { name: 'first' })).config
    second = (await makeKey(join(directory, 'keys'), { name: 'second' })).config
    const [port = 0] = await freePorts(1)
    const http = `http://127.0.0.1:${port}`
    url = `${http}/pacman`
    server = await startNginx(join(directory, 'nginx'), port, [nginxConfiguration({ root: store.root, http })])
  })
  after(async () => {
    await server?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  /** Build N has the package `one` of version N, and the keyring of those that clients are to trust. */
  async function built(number: number, trusted: KeyConfig[] = []): Promise<void> {
    const keyring = trusted.length === 0 ? undefined : await keyringPackage('lab', trusted, [], 'N <n@example.org>')
    const files = keyring && { [keyring.fileName]: keyring.bytes }
    const packages = { one: { version: `${number}.0-1`, content: String(number) } }
    await archiveRepo(join(directory, 'artifacts'), number, packages, { ...(files && { files }) })
    await pull(store, openDirectorySource(`dir:${join(directory, 'artifacts')}`), 'lab', number, silent)
  }

  async function put(number: number, key?: KeyConfig): Promise<void> {
    const signing = key && { fingerprint: key.fingerprint, open: () => openSigner(key, silent) }
    const options = { graceSeconds: 86_400, trial: false, ...(signing ? { signing } : { unsigned: true }) }
    await publish(store, 'lab', number, options, silent)
  }

  const printed = (more: { fingerprint?: string; keyring?: boolean } = {}): PacmanConfiguration =>
    pacmanConfiguration({ tree: 'lab', architecture: 'x86_64', url, fingerprint: undefined, debug: false, ...more })

  async function makeClient(name: string): Promise<PacmanClient> {
    const client = await PacmanClient.create(join(directory, name), nothing, nothing, new AbortController().signal)
    // Debian's pacman-key looks elsewhere than Arch's
    const arch = "s|^\\(.*KEYRING_IMPORT_DIR=\\).*|\\1'/usr/share/pacman/keyrings'|"
    await client.run(['sed', '-i', arch, '/usr/bin/pacman-key'])
    return client
  }
  const demand = (client: PacmanClient, from: string, to: string): void => {
    const file = join(client.root, 'etc/pacman.conf')
    const text = readFileSync(file, 'utf8')
    expect(text).to.include(from)
    writeFileSync(file, text.replaceAll(from, to))
  }
  const versionOf = async (client: PacmanClient): Promise<string | undefined> => (await client.installed()).one

  it('go on from unsigned to signed, to another key, and back, in the order that the documentation has', async () => {
    await built(1)
    await put(1)
    const [old, late] = [await makeClient('old'), await makeClient('late')]
    for (const client of [old, late]) {
      await client.configure(printed())
      await client.pacman('-S', 'one')
    }

    await built(2, [first])
    const error = await failure(put(2, first))
    expect(error).to.include({ code: 'KEY_NOT_ANNOUNCED' })
    await put(2)
    for (const { argv } of printed({ keyring: true }).commands) await old.run([...argv, ...noQuestions(argv)])
    expect(await versionOf(old)).to.equal('2.0-1')
    await late.pacman('-Syu')

    await put(2, first)
    await built(3, [first])
    await put(3, first)
    await old.pacman('-Syu')
    expect(await versionOf(old), 'signatures are optional there, and by a key that it has').to.equal('3.0-1')
    demand(old, OPTIONAL, REQUIRED)
    await old.pacman('-Syyu')
    const { exitCode, lines } = await late.tryPacman('-Syu')
    expect(exitCode, 'who did not take the keyring').not.to.equal(0)
    expect(lines.join('\n')).to.include(first.fingerprint).and.to.include('is unknown')

    const fresh = await makeClient('fresh')
    await fresh.configure(printed({ fingerprint: first.fingerprint, keyring: true }))
    await fresh.pacman('-S', 'one')
    demand(late, OPTIONAL, REQUIRED)
    for (const { argv } of printed({ fingerprint: first.fingerprint, keyring: true }).commands) {
      await late.run([...argv, ...noQuestions(argv)])
    }
    expect(await versionOf(late), 'who was late is helped by the commands for new ones').to.equal('3.0-1')

    await built(4, [first, second])
    await put(4, first)
    for (const client of [old, fresh]) await client.pacman('-Syu')
    await built(5, [first, second])
    await put(5, second)
    for (const client of [old, fresh]) {
      await client.pacman('-Syu')
      expect(await versionOf(client)).to.equal('5.0-1')
    }

    await built(6, [first, second])
    await put(6)
    await fresh.pacman('-Rn', 'one')
    demand(fresh, REQUIRED, OPTIONAL)
    expect((await fresh.tryPacman('-Sy')).exitCode, 'it holds its signature against the new database').not.to.equal(0)
    await fresh.run(['sh', '-c', 'rm -f /var/lib/pacman/sync/lab.*.sig /var/cache/pacman/pkg/*'])
    await fresh.pacman('-Sy')
    await fresh.pacman('-S', 'one')
    expect(await versionOf(fresh)).to.equal('6.0-1')
    await fresh.run(['rm', '-rf', '/etc/pacman.d/gnupg'])
    await fresh.pacman('-Rn', 'one')
    await fresh.run(['sh', '-c', 'rm -f /var/cache/pacman/pkg/*'])
    await fresh.pacman('-Sy', 'one')
    expect(await versionOf(fresh), 'also without any key').to.equal('6.0-1')
  })
})

function noQuestions([program]: readonly string[]): string[] {
  return program === 'pacman' ? ['--noconfirm'] : []
}
