import { execFile } from 'node:child_process'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect } from 'chai'
import { portageConfiguration } from '../../src/serve/portage.js'
import { rsyncdConfiguration } from '../../src/serve/rsyncd.js'
import { needsRoot } from '../lab/needs-root.js'
import { startDaemon } from './daemon.js'
import type { Daemon } from './daemon.js'
import { freePort, publishFiles, put, scratch } from './published-tree.js'

const run = promisify(execFile)

/** Another rsync to serve with, e.g. an older one. */
const server = process.env.TREESWAP_TEST_RSYNCD ?? 'rsync'

const first = {
  'gentoo/profiles/repo_name': 'gentoo\n',
  'gentoo/sys-apps/hello/hello-1.ebuild': 'one\n',
  'gentoo/metadata/timestamp.chk': 'x\n',
  '.binpkgs/Packages': 'PACKAGES: 0\n',
  '.treeswap.json': '{}\n',
  '.profile/etc/portage/make.conf': 'USE="a"\n',
  '.profile/etc/portage/make.profile': '-> ../../var/db/repos/gentoo/profiles/default',
  '.profile/etc/portage/package.use/old': 'sys-apps/hello nls\n',
  '.profile/etc/portage/repos.conf/gentoo.conf': "of the profile's\n",
  '.profile/var/lib/portage/world': 'sys-apps/hello\n',
  '.profile/var/lib/portage/world_sets': '',
}

describe('rsync daemon with the printed configuration', function () {
  this.timeout(60_000)
  before(needsRoot)

  let place: ReturnType<typeof scratch>
  let daemon: Daemon | undefined
  let url = ''
  let client = ''

  beforeEach(async () => {
    place = scratch()
    const port = await freePort()
    url = `rsync://127.0.0.1:${port}`
    const root = join(place.directory, 'root')
    publishFiles(root, 'database', 1, first)
    const file = join(place.directory, 'rsyncd.conf')
    writeFileSync(file, rsyncdConfiguration({ root, rsync: url }))
    daemon = await startDaemon(server, ['--daemon', '--no-detach', `--config=${file}`], port)
    client = join(place.directory, 'client')
    // as on every Gentoo machine
    for (const path of ['etc', 'var/cache', 'var/lib/portage']) mkdirSync(join(client, path), { recursive: true })
  })

  afterEach(async () => {
    await daemon?.stop()
    place.remove()
  })

  async function takeOver(): Promise<void> {
    const { commands } = portageConfiguration(
      { tree: 'database', repos: ['gentoo'], mainRepo: 'gentoo', rsync: url, http: 'http://127.0.0.1' },
      client,
    )
    for (const { argv } of commands) {
      const [file = '', ...args] = argv
      if (file === 'rsync') await run(file, args)
    }
  }

  it('serves an ebuild repo through the link of its tree', async () => {
    await run('rsync', ['-a', `${url}/repos/database/gentoo/`, join(client, 'gentoo')])
    expect(readFileSync(join(client, 'gentoo/sys-apps/hello/hello-1.ebuild'), 'utf8')).to.equal('one\n')
    expect(readdirSync(join(client, 'gentoo')).sort()).to.deep.equal(['metadata', 'profiles', 'sys-apps'])
  })

  for (const path of [
    'repos/.generations/database.1/gentoo/',
    'repos/database/.binpkgs/',
    'repos/database/.profile/',
    'repos/database/.treeswap.json',
    'repos/database/../../etc/',
    'profiles/.generations/database.1/.profile/',
    'profiles/database/gentoo/',
    'profiles/database/.binpkgs/',
    'profiles/database/.treeswap.json',
  ]) {
    it(`does not give ${path}`, async () => {
      const target = join(client, 'loot')
      const failure = await run('rsync', ['-a', `${url}/${path}`, target]).catch((error: unknown) => error)
      expect(failure).to.be.instanceOf(Error)
      expect(existsSync(target) ? readdirSync(target) : []).to.deep.equal([])
    })
  }

  it('takes nothing from clients', async () => {
    writeFileSync(join(client, 'evil'), 'x')
    const failure = await run('rsync', [join(client, 'evil'), `${url}/repos/`]).catch((error: unknown) => error)
    expect(failure).to.be.instanceOf(Error)
  })

  it('hands profile and world over, and leaves everything else of the client alone', async () => {
    put(join(client, 'etc/passwd'), 'root\n')
    put(join(client, 'var/lib/portage/config'), 'own\n')
    put(join(client, 'etc/portage/repos.conf/treeswap.conf'), 'own\n')
    put(join(client, 'etc/portage/binrepos.conf/treeswap.conf'), 'own\n')
    put(join(client, 'etc/portage/gnupg/pubring.kbx'), 'own\n')
    put(join(client, 'etc/portage/package.mask/local'), 'goes\n')
    mkdirSync(join(client, 'etc/portage/make.profile'))
    const before = statSync(join(client, 'etc'))
    await takeOver()
    expect(readFileSync(join(client, 'etc/portage/make.conf'), 'utf8')).to.equal('USE="a"\n')
    expect(readlinkSync(join(client, 'etc/portage/make.profile'))).to.equal(
      '../../var/db/repos/gentoo/profiles/default',
    )
    expect(readFileSync(join(client, 'var/lib/portage/world'), 'utf8')).to.equal('sys-apps/hello\n')
    expect(existsSync(join(client, 'var/lib/portage/world_sets'))).to.equal(true)
    expect(existsSync(join(client, 'etc/portage/package.mask'))).to.equal(false)
    for (const own of ['repos.conf/treeswap.conf', 'binrepos.conf/treeswap.conf', 'gnupg/pubring.kbx']) {
      expect(readFileSync(join(client, 'etc/portage', own), 'utf8'), own).to.equal('own\n')
    }
    expect(existsSync(join(client, 'etc/portage/repos.conf/gentoo.conf'))).to.equal(false)
    expect(readFileSync(join(client, 'etc/passwd'), 'utf8')).to.equal('root\n')
    expect(readFileSync(join(client, 'var/lib/portage/config'), 'utf8')).to.equal('own\n')
    expect(statSync(join(client, 'etc')).mtimeMs).to.equal(before.mtimeMs)
    expect(readdirSync(client).sort()).to.deep.equal(['etc', 'var'])
  })

  it('takes over through an /etc/portage that is a symlink, and through no other link', async () => {
    const portage = join(client, 'srv/portage')
    const profiles = join(client, 'var/db/repos/gentoo/profiles/default')
    mkdirSync(portage, { recursive: true })
    symlinkSync('../srv/portage', join(client, 'etc/portage'))
    put(join(portage, 'repos.conf/treeswap.conf'), 'own\n')
    put(join(profiles, 'eapi'), '8\n')
    symlinkSync('../../var/db/repos/gentoo/profiles/default', join(portage, 'make.profile'))
    const rest = Object.fromEntries(Object.entries(first).filter(([path]) => !path.endsWith('make.profile')))
    const files = { ...rest, '.profile/etc/portage/make.profile/parent': 'gentoo:default\n' }
    publishFiles(join(place.directory, 'root'), 'database', 2, files)
    await takeOver()
    expect(readlinkSync(join(client, 'etc/portage'))).to.equal('../srv/portage')
    expect(readFileSync(join(portage, 'make.conf'), 'utf8')).to.equal('USE="a"\n')
    expect(readFileSync(join(portage, 'repos.conf/treeswap.conf'), 'utf8')).to.equal('own\n')
    expect(readdirSync(profiles), 'the ebuild repo behind the old link').to.deep.equal(['eapi'])
    expect(lstatSync(join(portage, 'make.profile')).isDirectory()).to.equal(true)
  })

  it('brings edits of equal size, removals and new targets of links; and back again', async () => {
    await takeOver()
    const root = join(place.directory, 'root')
    const rest = Object.fromEntries(Object.entries(first).filter(([path]) => !path.endsWith('package.use/old')))
    publishFiles(root, 'database', 2, {
      ...rest,
      '.profile/etc/portage/make.conf': 'USE="b"\n',
      '.profile/etc/portage/make.profile': '-> ../../var/db/repos/gentoo/profiles/hardened',
      '.profile/etc/portage/package.use/new': 'x\n',
      '.profile/var/lib/portage/world': 'sys-apps/other\n',
    })
    await takeOver()
    expect(readFileSync(join(client, 'etc/portage/make.conf'), 'utf8')).to.equal('USE="b"\n')
    expect(readlinkSync(join(client, 'etc/portage/make.profile'))).to.match(/hardened$/)
    expect(readdirSync(join(client, 'etc/portage/package.use'))).to.deep.equal(['new'])
    expect(readFileSync(join(client, 'var/lib/portage/world'), 'utf8')).to.equal('sys-apps/other\n')
    publishFiles(root, 'database', 3, first)
    await takeOver()
    expect(readFileSync(join(client, 'etc/portage/make.conf'), 'utf8')).to.equal('USE="a"\n')
    expect(readdirSync(join(client, 'etc/portage/package.use'))).to.deep.equal(['old'])
    expect(lstatSync(join(client, 'etc/portage/make.conf')).mode & 0o777).to.equal(0o644)
  })

  it('keeps a client in the generation it entered while the next one is published', async () => {
    const root = join(place.directory, 'root')
    const files = (word: string): Record<string, string> =>
      Object.fromEntries(
        Array.from({ length: 300 }, (_, index) => [`gentoo/cat/p${index}/p${index}.ebuild`, word.repeat(2000)]),
      )
    publishFiles(root, 'database', 2, files('a'))
    const pull = run('rsync', ['-a', '--bwlimit=400', `${url}/repos/database/gentoo/`, join(client, 'gentoo')])
    const state = { ended: false }
    void pull.finally(() => (state.ended = true)).catch(() => undefined)
    while (!state.ended && !existsSync(join(client, 'gentoo/cat/p0')))
      await new Promise((resolve) => setTimeout(resolve, 20))
    expect(state.ended, 'the pull ended before anything was published').to.equal(false)
    publishFiles(root, 'database', 3, files('b'))
    await pull
    const words = new Set(
      Array.from({ length: 300 }, (_, index) =>
        readFileSync(join(client, `gentoo/cat/p${index}/p${index}.ebuild`), 'utf8').charAt(0),
      ),
    )
    expect([...words]).to.deep.equal(['a'])
  })
})
