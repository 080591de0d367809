import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openDirectorySource } from '../../src/artifact/source.js'
import { publish } from '../../src/publish/publish.js'
import { nginxConfiguration } from '../../src/serve/nginx.js'
import { pacmanConfiguration } from '../../src/serve/pacman.js'
import { openSigner } from '../../src/signing/open-signer.js'
import { openStore } from '../../src/store/layout.js'
import type { Store } from '../../src/store/layout.js'
import { pull } from '../../src/store/pull.js'
import { publishedNumber } from '../../src/store/references.js'
import { HostPacman, needsPacman } from '../lab/host-pacman.js'
import { needsRoot } from '../lab/needs-root.js'
import { freePorts } from '../lab/ports.js'
import { startNginx } from '../lab/servers.js'
import type { Server } from '../lab/servers.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { makeKey } from '../signing/keys.js'
import { archiveRepo } from '../store/repo.js'
import { startProxy } from './swapping-proxy.js'
import type { SwappingProxy } from './swapping-proxy.js'

const SIGNATURE = /\/lab\.db\.sig$/
const FILES_SIGNATURE = /\/lab\.files\.sig$/

describe('a pacman between whose requests a generation is swapped', function () {
  this.timeout(300_000)
  before(needsRoot)
  before(needsPacman)

  const directory = temporaryDirectory()
  let store: Store
  let server: Server
  let proxy: SwappingProxy
  let client: HostPacman
  let place: string
  /** publishes the other one of two builds */
  let swap: () => Promise<void>

  beforeEach(async () => {
    chmodSync(directory(), 0o755)
    store = openStore(join(directory(), 'store'), { create: true })
    const artifacts = join(directory(), 'artifacts')
    for (const number of [1, 2]) {
      const content = String(number)
      await archiveRepo(artifacts, number, { moving: { version: `${number}.0-1`, content }, still: {} })
      await pull(store, openDirectorySource(`dir:${artifacts}`), 'lab', number, silent)
    }
    const { config } = await makeKey(join(directory(), 'keys'))
    const { fingerprint } = config
    const signer = await openSigner(config, silent)
    const options = {
      graceSeconds: 86_400,
      trial: false,
      signing: { fingerprint, open: () => Promise.resolve(signer) },
    }
    let last = 0
    swap = async () => {
      last = last === 1 ? 2 : 1
      await publish(store, 'lab', last, options, silent)
    }
    await swap()

    const [port = 0, behind = 0] = await freePorts(2)
    const http = `http://127.0.0.1:${behind}`
    server = await startNginx(join(directory(), 'nginx'), behind, [nginxConfiguration({ root: store.root, http })])
    proxy = await startProxy(port, behind)
    place = join(directory(), 'client')
    mkdirSync(place)
    const url = `http://127.0.0.1:${port}/pacman`
    const { section } = pacmanConfiguration({ tree: 'lab', architecture: 'x86_64', url, fingerprint, debug: false })
    client = new HostPacman(place, [])
    writeFileSync(join(place, 'pacman.conf'), `${readFileSync(join(place, 'pacman.conf'), 'utf8')}\n${section}`)
    client.trust(join(store.pointer('lab'), 'os/x86_64/lab.gpg'), fingerprint)
    expect(await client.runAside('-Sy')).to.include({ exitCode: 0 })
  })
  afterEach(async () => {
    await proxy.stop()
    await server.stop()
  })

  /** A database newer than the client's, and the signature of one that is newer still. */
  async function straddle(...command: string[]): Promise<void> {
    const signature = command.includes('-Fy') ? FILES_SIGNATURE : SIGNATURE
    await swap()
    const swapped = proxy.before(signature, swap)
    const ran = await client.runAside(...command)
    await swapped
    expect(ran.exitCode, ran.output).not.to.equal(0)
    expect(ran.output).to.match(/invalid or corrupted database \(PGP signature\)/)
  }

  async function expectHealed(): Promise<void> {
    const build = publishedNumber(store, 'lab')
    expect(await client.runAside('-Sy')).to.include({ exitCode: 0 })
    const listed = await client.runAside('-Sl', 'lab')
    expect(listed.output).to.include(`moving ${build}.0-1`)
    const fetched = await client.runAside('-Swdd', 'moving')
    expect(fetched.exitCode, fetched.output).to.equal(0)
  }

  it('refuses a database beside a later signature, and takes the next one', async () => {
    for (let time = 0; time < 3; time++) {
      await straddle('-Sy')
      await expectHealed()
    }
  })

  it('is not stuck by several in a row, nor by one when it goes on to install', async () => {
    expect((await client.runAside('-Syu', 'moving')).exitCode).to.equal(0)
    await straddle('-Sy')
    await straddle('-Syu')
    await straddle('-Syyu')
    expect(client.installed(), 'nothing is installed from it').to.deep.equal(['moving 1.0-1'])
    await swap()
    const ran = await client.runAside('-Syuu')
    expect(ran.exitCode, ran.output).to.equal(0)
    await expectHealed()
  })

  it('uses nothing of what it refused, also where it does not ask again', async () => {
    await straddle('-Sy')
    const ran = await client.runAside('-S', 'moving')
    expect(ran.exitCode, ran.output).not.to.equal(0)
    expect(client.installed()).to.deep.equal([])
    await expectHealed()
  })

  it('does so with the file lists, too', async () => {
    expect((await client.runAside('-Fy')).exitCode).to.equal(0)
    await straddle('-Fy')
    expect(await client.runAside('-Fy')).to.include({ exitCode: 0 })
    const { output } = await client.runAside('-Fl', 'moving')
    expect(output).to.include('moving')
  })

  it('heals where files are put in place one by one, as on a web host, and the database comes first', async () => {
    const host = join(directory(), 'host')
    const copy = (name: string): void => {
      execFileSync('cp', ['-p', join(store.pointer('lab'), 'os/x86_64', name), join(host, name)])
    }
    mkdirSync(host, { mode: 0o755 })
    const [port = 0] = await freePorts(1)
    const block = `server { listen 127.0.0.1:${port}; location / { root ${host}; } }`
    const web = await startNginx(join(directory(), 'host-nginx'), port, [block])
    try {
      const conf = join(place, 'pacman.conf')
      writeFileSync(
        conf,
        readFileSync(conf, 'utf8').replace(/^Server = .*127.*$/m, `Server = http://127.0.0.1:${port}`),
      )
      for (const name of readdirSync(join(store.pointer('lab'), 'os/x86_64'))) copy(name)
      expect(await client.runAside('-Syy')).to.include({ exitCode: 0 })
      for (let time = 0; time < 3; time++) {
        await swap()
        for (const name of readdirSync(join(store.pointer('lab'), 'os/x86_64'))) if (name.includes('pkg')) copy(name)
        copy('lab.db')
        const ran = await client.runAside('-Sy')
        expect(ran.exitCode, ran.output).not.to.equal(0)
        copy('lab.db.sig')
        await expectHealed()
      }
    } finally {
      await web.stop()
    }
  })
})
