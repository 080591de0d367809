import { chmodSync, cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { expect } from 'chai'
import { readContainer } from '../../src/gentoo/gpkg.js'
import { signGpkg } from '../../src/gentoo/sign-gpkg.js'
import { formatPackages, parsePackages } from '../../src/model/packages-index.js'
import { openSigner } from '../../src/signing/open-signer.js'
import { Client } from '../lab/client.js'
import { needsRoot } from '../lab/needs-root.js'
import type { Ran } from '../lab/nspawn.js'
import { runInRoot } from '../lab/nspawn.js'
import { freePorts } from '../lab/ports.js'
import { runTreeswap } from '../lab/run-treeswap.js'
import { directoryBlock, startNginx, startRsyncd } from '../lab/servers.js'
import type { Server } from '../lab/servers.js'
import { makeSigningKey } from '../lab/signing-key.js'
import type { SigningKey } from '../lab/signing-key.js'
import { silent } from '../lab/silent.js'
import { makeKey } from '../signing/keys.js'
import { Site } from './site.js'
import { writeProfile, writeTinyRepo } from './tiny-repo.js'

interface Command {
  what: string
  argv: string[]
}

interface ClientConfiguration {
  files: { path: string; content: string }[]
  trust: Command[]
  commands: Command[]
}

const hello = 'app-test/hello/hello-1-1.gpkg.tar'

/** Real emerge on a client that was set up as `config portage` says and in no other way. */
describe('a machine whose packages are signed', function () {
  this.timeout(300_000)
  let site: Site
  let key: SigningKey
  let client: Client
  let copies: string
  let altered: number
  let http: string
  const servers: Server[] = []

  before(needsRoot)
  before(async () => {
    site = await Site.create({ machine: '    sign: main\n' })
    chmodSync(site.directory, 0o755)
    writeTinyRepo(site.path('git/gentoo'), 'gentoo', [{ cpv: 'app-test/hello-1' }])
    writeProfile(site.path('git/profile'), ['app-test/hello'])
    writeFileSync(site.path('git/profile/etc-portage/make.conf'), 'CFLAGS="-O2"\n')
    key = await makeSigningKey(site.directory, 'main')
    const [rsyncPort = 0, httpPort = 0, otherPort = 0] = await freePorts(3)
    altered = otherPort
    http = `http://127.0.0.1:${httpPort}`
    const written = readFileSync(site.path('treeswap.yaml'), 'utf8')
    writeFileSync(
      site.path('treeswap.yaml'),
      written.replace(/http: '[^']*'/, `rsync: 'rsync://127.0.0.1:${rsyncPort}', http: '${http}'`) +
        `keys:\n  main: { fingerprint: ${key.fingerprint}, public: ${key.public}, secret: ${key.secret} }\n`,
    )
    site.commit('gentoo')
    site.commit('profile')
    await site.succeed('run')
    copies = site.path('copy')
    const printed = async (what: string): Promise<string> =>
      (await runTreeswap(['config', what, '--config', site.path('treeswap.yaml')])).stdout
    servers.push(await startRsyncd(site.path('rsyncd'), rsyncPort, await printed('rsyncd')))
    const blocks = [await printed('nginx'), directoryBlock(altered, copies)]
    servers.push(await startNginx(site.path('nginx'), httpPort, blocks))
  })
  after(async () => {
    for (const server of servers.splice(0)) await server.stop()
    Site.removeAll()
  })

  it('is installed by a client that demands signatures and does as it was told', async () => {
    client = await Client.create(
      site.path('client'),
      () => undefined,
      () => undefined,
      new AbortController().signal,
    )
    const { files, trust, commands } = await site.succeed<ClientConfiguration>('config', 'portage')
    client.writeFiles(files)
    expect(client.read('etc/portage/binrepos.conf/treeswap.conf')).to.include('\nverify-signature = true\n')
    for (const { argv } of trust) await client.run(argv)
    for (const { argv } of commands) await client.run(argv)
    expect(client.installed()).to.deep.equal(['app-test/hello-1'])
  })

  const packages = (): string => join(site.path('srv/published/database'), '.binpkgs')

  /** A copy of what is published in which one package is another, the index saying so. */
  function serveAltered(change: (bytes: Buffer) => Buffer): void {
    rmSync(copies, { recursive: true, force: true })
    cpSync(packages(), copies, { recursive: true })
    const bytes = change(readFileSync(join(copies, hello)))
    writeFileSync(join(copies, hello), bytes)
    const { header, stanzas } = parsePackages(readFileSync(join(copies, 'Packages'), 'utf8'), 'test')
    header.delete('URI')
    for (const stanza of stanzas) {
      if (stanza.get('PATH') !== hello) continue
      stanza.set('SIZE', String(bytes.length))
      for (const name of ['MD5', 'SHA1']) stanza.set(name, createHash(name).update(bytes).digest('hex'))
    }
    writeFileSync(join(copies, 'Packages'), formatPackages({ header, stanzas }))
    rmSync(join(copies, 'Packages.gz'))
  }

  /** emerge of the one package from the copy. */
  async function install(): Promise<Ran> {
    for (const path of ['var/cache/binpkgs', 'var/cache/binhost', 'var/cache/edb']) {
      rmSync(client.path(path), { recursive: true, force: true })
    }
    const path = 'etc/portage/binrepos.conf/treeswap.conf'
    const conf = client.read(path)
    try {
      const uri = `sync-uri = http://127.0.0.1:${altered}/distfiles/`
      writeFileSync(client.path(path), conf.replace(/sync-uri = .*/, uri))
      return await runInRoot(client.root, ['emerge', '--oneshot', '--getbinpkgonly', '=app-test/hello-1'])
    } finally {
      writeFileSync(client.path(path), conf)
    }
  }

  it('is installed from a copy that is not altered', async () => {
    serveAltered((bytes) => bytes)
    const { exitCode, lines } = await install()
    expect(exitCode, lines.slice(-30).join('\n')).to.equal(0)
  })

  /** @returns why emerge does not install it */
  async function refusal(): Promise<string> {
    const { exitCode, lines } = await install()
    expect(exitCode, lines.slice(-30).join('\n')).to.equal(1)
    return lines.join('\n')
  }

  it('is refused where a package is not signed', async () => {
    const unsigned = readFileSync(site.path('builder/packages/database', hello))
    expect(unsigned.equals(readFileSync(join(packages(), hello)))).to.equal(false)
    serveAltered(() => unsigned)
    expect(await refusal()).to.include('appears unsigned')
  })

  for (const name of ['metadata.tar', 'image.tar', 'Manifest']) {
    it(`is refused where one byte of ${name} in a package is another`, async () => {
      serveAltered((bytes) => {
        const file = { path: join(packages(), hello), refuse: (why: string) => new Error(why), signal: silent.signal }
        const member = readContainer(file).members.find((one) => one.name.startsWith(name))!
        const at = member.content + Math.max(0, Math.floor(member.size / 2) - 1)
        bytes[at] = (bytes[at] ?? 0) ^ 1
        return bytes
      })
      expect(await refusal()).to.match(/BADSIG|size mismatched|checksum mismatched|Digest verification failed/i)
    })
  }

  it('is refused where a package is signed by a key that the client does not trust', async () => {
    const { config } = await makeKey(site.directory, { name: 'other' })
    const path = site.path('builder/packages/database', hello)
    const to = site.path('signed-by-another')
    const from = { path, refuse: (why: string) => new Error(why), signal: silent.signal }
    await signGpkg(from, to, await openSigner(config, silent))
    serveAltered(() => readFileSync(to))
    expect(await refusal()).to.include('unknown key')
    await client.type(
      `gpg --homedir /etc/portage/gnupg --batch --import < /dev/stdin <<'KEY'\n${readFileSync(config.publicFile, 'utf8')}\nKEY`,
    )
    expect(await refusal(), 'also where the key is in its keyring').to.include('undefined trust')
  })
})
