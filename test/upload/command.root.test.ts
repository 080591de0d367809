import { readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'chai'
import { openStore } from '../../src/store/layout.js'
import { compile, treeswap } from '../cli/treeswap.js'
import type { Ended } from '../cli/treeswap.js'
import { needsRoot } from '../lab/needs-root.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { generation, trouble } from './generation.js'
import type { Packages } from './generation.js'
import { startWebHost } from './web-host.js'
import type { WebHost } from './web-host.js'

const one = { 'a-1-1': 'a one', 'b-1-1': 'b one' }

interface Document {
  schema: number
  tree: string
  serial: number
  hosts: ({ name: string; files: number; bytes: number; already: number; seconds: number } & {
    error?: { code: string; hint: string; category: string }
  })[]
  error?: { code: string }
}

describe('treeswap upload', function () {
  this.timeout(120_000)
  before(needsRoot)
  before(compile)

  const directory = temporaryDirectory()
  let host: WebHost
  let other: WebHost
  before(async () => {
    host = await startWebHost()
    other = await startWebHost()
  })
  after(async () => {
    for (const one of [host, other] as (WebHost | undefined)[]) await one?.stop()
  })
  beforeEach(() => {
    for (const one of [host, other]) one.empty()
    const upload = ({ config, hostKeys }: WebHost, more = {}) => ({
      ...{ host: config.host, port: config.port, user: config.user, directory: config.directory },
      ...{ 'key-file': config.keyFile, 'host-key': hostKeys.ed25519 },
      ...more,
    })
    const recipes = { repositories: [{ url: 'https://git.example.org/recipes' }] }
    const config = {
      schema: 1,
      publisher: { root: join(directory(), 'store') },
      pacman: {
        extra: { ...recipes, upload: ['broken', 'mirror', 'links'] },
        lonely: recipes,
        unpublished: { ...recipes, upload: ['mirror'] },
      },
      uploads: {
        broken: upload(host, { 'host-key': other.hostKeys.ed25519 }),
        mirror: upload(host),
        links: upload(other, { symlinks: true }),
      },
    }
    writeFileSync(join(directory(), 'treeswap.yaml'), JSON.stringify(config))
  })

  /** What a publish leaves: the generation, and the pointer to it. */
  const published = (serial: number, packages: Packages): void => {
    const store = openStore(join(directory(), 'store'), { create: true })
    renameSync(generation(directory(), serial, packages).directory, store.generation('extra', serial))
    rmSync(store.pointer('extra'), { force: true })
    symlinkSync(`.generations/extra.${serial}`, store.pointer('extra'))
  }

  const run = (args: string[], env: Record<string, string> = {}): Promise<Ended> =>
    treeswap(['upload', ...args], { cwd: directory(), env })
  const json = async (args: string[]): Promise<Document & { exitCode: number | null }> => {
    const { stdout, stderr, exitCode } = await run([...args, '--json'])
    expect(stdout, stderr).to.match(/^\{/)
    return { ...(JSON.parse(stdout) as Document), exitCode }
  }

  it('brings what is published to every host, though one of them fails', async () => {
    published(7, one)
    const { exitCode, hosts, serial } = await json(['extra'])
    expect(exitCode).to.equal(13)
    expect(serial).to.equal(7)
    expect(hosts.map(({ name, files, error }) => [name, files, error?.code])).to.deep.equal([
      ['broken', 0, 'UPLOAD_HOST_KEY'],
      ['mirror', 8, undefined],
      ['links', 8, undefined],
    ])
    expect(hosts[0]?.error).to.include({ category: 'configuration' })
    expect(trouble(join(host.top, 'extra'))).to.equal(undefined)
    expect(trouble(join(other.top, 'extra'))).to.equal(undefined)
    const again = await run(['extra@published'])
    expect(again.exitCode).to.equal(13)
    expect(again.stdout).to.match(/broken .*failed.*UPLOAD_HOST_KEY/)
    expect(again.stdout).to.include('mirror (127.0.0.1): 0 files sent (0 B), 8 there already')
    expect((await json(['extra', '--to', 'mirror'])).exitCode, 'without the one that fails').to.equal(0)
  })

  it('says what cannot be uploaded, and what to do', async () => {
    published(1, one)
    const expected: [string[], number, string][] = [
      [['extr'], 10, 'TREE_UNKNOWN'],
      [['lonely'], 10, 'UPLOAD_NOWHERE'],
      [['extra', '--to', 'mirro'], 10, 'UPLOAD_UNKNOWN'],
      [['unpublished'], 13, 'NOT_PUBLISHED'],
      [['extra@12'], 10, 'USAGE'],
      [['extra@latest'], 10, 'USAGE'],
      [['../extra'], 10, 'NAME_INVALID'],
    ]
    for (const [args, code, name] of expected) {
      const { exitCode, error } = await json(args)
      expect([exitCode, error?.code], args.join(' ')).to.deep.equal([code, name])
    }
    expect(readdirSync(host.top)).to.deep.equal([])
  })

  it('leaves a whole repo when it is killed, and goes on where that was', async () => {
    published(1, one)
    expect((await json(['extra', '--to', 'mirror'])).exitCode).to.equal(0)
    published(2, { 'a-1-1': 'a one', 'c-1-1': 'c one', 'd-1-1': 'd'.repeat(30_000_000) })
    const big = /^\.treeswap-upload-.*d-1-1-x86_64\.pkg\.tar\.zst\.tmp$/
    const place = join(host.top, 'extra/os/x86_64')
    const killed = await treeswap(['upload', 'extra', '--to', 'mirror'], {
      cwd: directory(),
      watch: (child) => {
        const look = setInterval(() => {
          if (!readdirSync(place).some((name) => big.test(name))) return
          clearInterval(look)
          child.kill('SIGKILL')
        }, 5)
      },
    })
    expect(killed.exitCode).to.equal(null)
    expect(trouble(join(host.top, 'extra'))).to.equal(undefined)
    expect(readFileSync(join(place, 'extra.db'), 'utf8'), 'the old one').to.include('b-1-1')
    const { exitCode, hosts } = await json(['extra', '--to', 'mirror'])
    expect(exitCode).to.equal(0)
    expect(hosts[0]?.files).to.be.within(7, 8)
    expect(trouble(join(host.top, 'extra'))).to.equal(undefined)
    expect(readdirSync(place).filter((name) => big.test(name))).to.deep.equal([])
  })

  it('takes the key that the environment names, and passes it on to nobody', async () => {
    published(1, one)
    const key = join(directory(), 'key')
    writeFileSync(key, readFileSync(host.keyFile), { mode: 0o600 })
    const text = readFileSync(join(directory(), 'treeswap.yaml'), 'utf8')
    writeFileSync(join(directory(), 'treeswap.yaml'), text.replaceAll(host.keyFile, '/none'))
    const without = await run(['extra', '--to', 'mirror'])
    expect(without.stdout).to.include('UPLOAD_KEY_MISSING')
    const withKey = await run(['extra', '--to', 'mirror'], { TREESWAP_SSH_KEY: key })
    expect(withKey.exitCode, withKey.stdout).to.equal(0)
  })

  it('runs once at a time for a tree: who comes second finds everything there', async () => {
    published(1, { ...one, 'c-1-1': 'c'.repeat(5_000_000) })
    const both = await Promise.all([json(['extra', '--to', 'mirror']), json(['extra', '--to', 'mirror'])])
    expect(both.map(({ exitCode }) => exitCode)).to.deep.equal([0, 0])
    expect(both.map(({ hosts }) => hosts[0]?.files)).to.have.members([0, 10])
  })
})
