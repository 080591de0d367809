import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chrootShell } from '../../src/cli/commands/chroot-shell.js'
import { needsRoot } from '../lab/needs-root.js'
import { stage3Tarball } from '../lab/stage3.js'
import { writeFiles } from '../lab/temporary.js'
import { Site } from './site.js'
import { ebuild, writeProfile, writeTinyRepo } from './tiny-repo.js'

interface Built {
  build: { number: number; packs: { name: string; size: number }[] }
  compiled: string[]
  reused: string[]
}

const linked = {
  cpv: 'app-test/linked-1',
  install: [
    'echo one > one; dobin one; ln "${ED}"/usr/bin/one "${ED}"/usr/bin/two',
    'cp /bin/true ping; exeinto /usr/libexec; doexe ping',
    '}',
    'pkg_postinst() {',
    'setcap cap_net_raw+ep "${EROOT}"/usr/libexec/ping || die',
  ].join('\n'),
}

describe('the commands, one by one, on a root from a stage3', function () {
  this.timeout(300_000)
  let site: Site
  let repo: string

  before(needsRoot)
  before(async () => {
    repo = mkdtempSync(join(tmpdir(), 'treeswap-repo-'))
    // Portage reads it as a user of its own
    chmodSync(repo, 0o755)
    writeTinyRepo(repo, 'gentoo', [{ cpv: 'sys-test/base-1' }, { cpv: 'app-test/tool-1' }, linked])
    const stage3 = { repo, profile: 'base/system', packages: ['sys-test/base'] }
    site = await Site.create({ root: await stage3Tarball(stage3, () => undefined) })
    cpSync(repo, site.path('gentoo'), { recursive: true, verbatimSymlinks: true })
    writeProfile(site.path('profile'), ['app-test/tool', 'app-test/linked'], 'base/system')
  })
  after(() => {
    Site.removeAll()
    rmSync(repo, { recursive: true, force: true })
  })

  const artifacts = () => `dir:${site.path('artifacts')}`
  const snapshot = (number: number, ...more: string[]) =>
    site.succeed<{ build: { packs: { sha256: string }[] } }>(
      ...['snapshot', site.path('gentoo'), '--name', 'gentoo', '--number', String(number), '--chroot', 'database'],
      ...['--out', site.path('artifacts/repos/gentoo', String(number)), ...more],
    )
  const build = (number: number, ...more: string[]) =>
    site.succeed<Built>(
      ...['build', 'database', '--repo', `gentoo=${artifacts()}@${number}`, '--profile', site.path('profile')],
      ...['--out', site.path('artifacts/database', String(number)), '--number', String(number), ...more],
    )
  const packagesSize = ({ build: { packs } }: Built) => packs.find(({ name }) => name === 'packages')?.size ?? 0
  const inRoot = (...command: string[]) =>
    execFileSync(
      process.execPath,
      ['dist/treeswap.mjs', 'chroot', 'shell', 'database', '--config', site.path('treeswap.yaml'), '--', ...command],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] },
    )

  it('makes the root from the tarball', async () => {
    await site.succeed('chroot', 'create', 'database')
    const { chroots } = await site.succeed<{ chroots: { name: string }[] }>('chroot', 'list')
    expect(chroots.map(({ name }) => name)).to.deep.equal(['database'])
  })

  it('packs an ebuild repo with its metadata cache, twice to the same bytes', async () => {
    const first = await snapshot(1)
    const second = await snapshot(2, '--previous', artifacts())
    expect(second.build.packs[0]?.sha256).to.equal(first.build.packs[0]?.sha256)
  })

  it('builds the world; what the stage3 came with gets a binary package too', async () => {
    const built = await build(1)
    expect(built.compiled).to.have.members(['app-test/tool-1', 'app-test/linked-1'])
    await site.succeed('pull', 'database@1', '--from', artifacts())
    await site.succeed('publish', 'database@1')
    const index = readFileSync(site.path('srv/published/database/.binpkgs/Packages'), 'utf8')
    const packages = index.match(/^CPV: .*$/gm)
    expect(packages).to.have.members(['CPV: sys-test/base-1', 'CPV: app-test/tool-1', 'CPV: app-test/linked-1'])
  })

  it('keeps hard links and file capabilities in the root', () => {
    const [first, second] = inRoot('stat', '--format=%i %h', '/usr/bin/one', '/usr/bin/two').trim().split('\n')
    expect(first).to.equal(second).and.to.match(/ 2$/)
    expect(inRoot('getcap', '/usr/libexec/ping')).to.contain('cap_net_raw=ep')
  })

  it('changes a root as the help of chroot shell says', () => {
    const committing = Object.keys(chrootShell.examples).filter((line) => line.includes('--commit'))
    expect(committing).to.have.length(1)
    for (const line of committing) {
      const [before = '', command = ''] = line.split(' -- ')
      const args = [...before.split(' '), '--config', site.path('treeswap.yaml'), '--', ...command.split(' ')]
      const head = site.head()
      execFileSync(process.execPath, ['dist/treeswap.mjs', ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
      expect(site.head()).not.to.equal(head)
    }
  })

  it('adds only the changed package to the next artifact and to its pull', async () => {
    const [path, text] = ebuild({ cpv: 'app-test/tool-2', install: 'head -c 300000 /dev/urandom > data; doins data' })
    writeFiles(site.path('gentoo'), { [path]: text })
    await snapshot(3, '--previous', artifacts())
    const built = await build(3, '--base', artifacts())
    expect(built.compiled).to.deep.equal(['app-test/tool-2'])
    const { fetchedBytes } = await site.succeed<{ fetchedBytes: number }>('pull', 'database@3', '--from', artifacts())
    expect(packagesSize(built)).to.be.within(300_000, 340_000)
    expect(fetchedBytes).to.be.within(packagesSize(built), packagesSize(built) + 30_000)
  })

  it('restores the binary packages that the builder has lost, and compiles nothing', async () => {
    rmSync(site.path('builder/packages'), { recursive: true })
    const again = await site.succeed<Built>(
      ...['build', 'database', '--repo', `gentoo=${artifacts()}@3`, '--profile', site.path('profile')],
      ...['--out', site.path('artifacts/database/4'), '--base', artifacts()],
    )
    expect(again.build.number).to.equal(4)
    expect(again.compiled).to.deep.equal([])
    expect(packagesSize(again)).to.be.below(40_000)
  })

  it('installs from the binary packages in a root made anew', async () => {
    await site.succeed('chroot', 'remove', 'database')
    await site.succeed('chroot', 'create', 'database')
    const built = await site.succeed<Built>(
      ...['build', 'database', '--repo', `gentoo=${artifacts()}@3`, '--profile', site.path('profile')],
      ...['--out', site.path('artifacts/database/5'), '--base', artifacts()],
    )
    expect(built.compiled).to.deep.equal([])
    expect(built.reused).to.have.members(['app-test/tool-2', 'app-test/linked-1'])
  })

  it('publishes what was pulled, says what differs, and finds nothing damaged', async () => {
    await site.succeed('publish', 'database@5', '--from', artifacts())
    const diff = await site.succeed<Record<string, { cpv?: string; package?: string }[]>>(
      'diff',
      'database@1',
      'database@5',
    )
    expect(JSON.stringify(diff)).to.contain('app-test/tool')
    const { findings } = await site.succeed<{ findings: unknown[] }>('check')
    expect(findings).to.deep.equal([])
  })

  it('keeps the log of a build', () => {
    const log = execFileSync(
      process.execPath,
      ['dist/treeswap.mjs', 'log', 'database@1', '--config', site.path('treeswap.yaml')],
      { encoding: 'utf8' },
    )
    expect(log).to.contain('Completed (2 of 2)')
  })
})
