import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { openDirectorySource } from '../../src/artifact/source.js'
import { publish } from '../../src/publish/publish.js'
import { pacmanConfiguration } from '../../src/serve/pacman.js'
import { nginxConfiguration } from '../../src/serve/nginx.js'
import { openSigner } from '../../src/signing/open-signer.js'
import { openStore } from '../../src/store/layout.js'
import { pull } from '../../src/store/pull.js'
import { HostPacman, needsPacman } from '../lab/host-pacman.js'
import { needsRoot } from '../lab/needs-root.js'
import { freePorts } from '../lab/ports.js'
import { startNginx } from '../lab/servers.js'
import type { Server } from '../lab/servers.js'
import { silent } from '../lab/silent.js'
import { makeKey } from '../signing/keys.js'
import { archiveRepo } from '../store/repo.js'
import { startProxy } from './swapping-proxy.js'
import type { SwappingProxy } from './swapping-proxy.js'

const SWAPS = 100
/** Each round of ten swaps has one between a database and its signature, which a client is then sure to meet. */
const ROUNDS = SWAPS / 10

/**
 * Asks for the databases, then, some time later, for the package that they name, again and again. A failed `-Sy` met a
 * swap between a database and its signature: the next ones have to heal that.
 */
const looping = `
while [ ! -e "$1/stop" ]; do
  tries=0
  until pacman --config "$1/pacman.conf" --noconfirm -Sy > "$1/last" 2>&1; do
    echo straddled
    tries=$((tries + 1))
    if [ $tries -gt 9 ]; then echo "not healed: $(tail -3 "$1/last")"; break; fi
  done
  rm -f "$1"/cache/*
  sleep 0.2
  if pacman --config "$1/pacman.conf" --noconfirm -Swdd moving > "$1/last" 2>&1
  then echo fetched; else echo "lost: $(tail -3 "$1/last")"; fi
done
`

describe('a pacman that installs while generations are swapped', function () {
  this.timeout(300_000)
  before(needsRoot)
  before(needsPacman)

  let directory: string
  let server: Server | undefined
  let proxy: SwappingProxy | undefined
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'treeswap-swaps-'))
    chmodSync(directory, 0o755)
  })
  afterEach(async () => {
    await proxy?.stop()
    await server?.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  it(`finds every package that its database names, over ${SWAPS} swaps`, async () => {
    const store = openStore(join(directory, 'store'), { create: true })
    const artifacts = join(directory, 'artifacts')
    const big = (content: string) => ({
      moving: { version: `${content}.0-1`, content },
      'other+x': { version: '1:1.0-1' },
    })
    await archiveRepo(artifacts, 1, big('1'))
    await archiveRepo(artifacts, 2, big('2'))
    for (const number of [1, 2]) await pull(store, openDirectorySource(`dir:${artifacts}`), 'lab', number, silent)
    const { config } = await makeKey(join(directory, 'keys'))
    const { fingerprint } = config
    const signer = await openSigner(config, silent)
    const signing = { fingerprint, open: () => Promise.resolve(signer) }
    const options = { graceSeconds: 86_400, trial: false, signing }
    await publish(store, 'lab', 1, options, silent)

    const [port = 0, behind = 0] = await freePorts(2)
    const http = `http://127.0.0.1:${port}`
    const own = `http://127.0.0.1:${behind}`
    server = await startNginx(join(directory, 'nginx'), behind, [nginxConfiguration({ root: store.root, http: own })])
    const between = (proxy = await startProxy(port, behind))
    const place = join(directory, 'client')
    mkdirSync(place)
    const url = `${http}/pacman`
    const { section } = pacmanConfiguration({ tree: 'lab', architecture: 'x86_64', url, fingerprint, debug: false })
    const client = new HostPacman(place, [])
    writeFileSync(join(place, 'pacman.conf'), `${readFileSync(join(place, 'pacman.conf'), 'utf8')}\n${section}`)
    client.trust(join(store.pointer('lab'), 'os/x86_64/lab.gpg'), fingerprint)
    expect(await client.runAside('-Syu', 'other+x')).to.include({ exitCode: 0 })

    let swaps = 0
    const swap = async (): Promise<void> => {
      await publish(store, 'lab', swaps++ % 2 === 0 ? 2 : 1, options, silent)
    }
    /** Gives the next client a new database, and the signature of the one after it. */
    const straddle = async (): Promise<void> => {
      let signature: Promise<void> | undefined
      await between.before(/\/lab\.db$/, async () => {
        await swap()
        signature = between.before(/\/lab\.db\.sig$/, swap)
      })
      await signature
    }
    const loop = spawn('bash', ['-c', looping, 'loop', place], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    loop.stdout.on('data', (chunk) => (said += String(chunk)))
    const ended = new Promise((resolve) => loop.once('close', resolve))
    try {
      for (let round = 0; round < ROUNDS; round++) {
        for (let free = 0; free < 8; free++) await swap()
        await straddle()
      }
    } finally {
      writeFileSync(join(place, 'stop'), '')
      await ended
    }
    const lines = said.trim().split('\n')
    const straddled = lines.filter((line) => line === 'straddled').length
    console.log(
      `      ${lines.length - straddled} downloads; ${straddled} times a database and its signature were apart`,
    )
    expect(swaps).to.equal(SWAPS)
    expect(straddled).to.be.at.least(ROUNDS)
    const lost = between.answered.filter(([path, status]) => path.includes('.pkg.') && status >= 400)
    expect(lost, 'downloads of packages that found nothing').to.deep.equal([])
    expect(lines.filter((line) => !['fetched', 'straddled'].includes(line))).to.deep.equal([])
    expect(lines.filter((line) => line === 'fetched').length).to.be.greaterThan(10)
    expect(existsSync(join(store.pointer('lab'), 'os/x86_64/moving-1.0-1-any.pkg.tar.zst'))).to.equal(true)
    expect(await client.runAside('-Syu', 'moving')).to.include({ exitCode: 0 })
    expect(client.installed()).to.include('moving 1.0-1')
  })
})
