import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { compareVersions } from '../../src/model/pacman-version.js'
import { compile } from '../cli/treeswap.js'
import { digestOf, differences } from '../lab/digest.js'
import { needsRoot } from '../lab/needs-root.js'
import { PacmanClient } from '../lab/pacman-client.js'
import type { PacmanConfiguration } from '../lab/pacman-client.js'
import { freePorts } from '../lab/ports.js'
import { directoryBlock, startGitDaemon, startNginx } from '../lab/servers.js'
import type { Server } from '../lab/servers.js'
import { makeSigningKey } from '../lab/signing-key.js'
import { writeFiles } from '../lab/temporary.js'
import { ArchSite } from './arch-site.js'
import { CountedPrograms } from './features/counted.js'
import { differingMembers, memberOf, membersOf } from './features/package-members.js'
import * as recipes from './features/recipes.js'

describe('the features of recipes, from git to a client', function () {
  this.timeout(900_000)
  before(needsRoot)
  let place = ''
  let site: ArchSite
  let other: ArchSite
  let client: PacmanClient
  // of the first site, for both
  let recipesAt = 'PATH/git/recipes'
  const servers: Server[] = []
  const stop = new AbortController()

  const settings = (more: string): string => `repositories: [{ url: ${recipesAt}, recipes: 'packages/*' }]\n${more}`
  const signed = 'sign: release'
  const packages = (of: ArchSite): string[] =>
    readdirSync(of.path('builder/packages/own')).filter((name) => !name.includes('-keyring-'))
  const packageOf = (of: ArchSite, name: string): string => {
    const found = packages(of).filter((file) => file.startsWith(`${name}-`))
    expect(found).to.have.length(1)
    return of.path('builder/packages/own', found[0] ?? '')
  }
  const inDatabase = (name: string): string[] => {
    const members = membersOf(site.path('srv/published/own/os/x86_64', `${name}.db`))
    return members.flatMap((member) => /^([^/]+)\/desc$/.exec(member)?.[1] ?? [])
  }

  before(compile)
  before(async () => {
    const [http = 0, plain = 0, port = 0] = await freePorts(3)
    place = mkdtempSync(join(tmpdir(), 'treeswap-features-'))
    const key = await makeSigningKey(place, 'release')
    const sections = `keys: { release: { fingerprint: ${key.fingerprint}, public: ${key.public}, secret: ${key.secret} } }`
    site = await ArchSite.create(settings(`network: [online]\ndebug: true\n${signed}`), { http, sections })
    // servers give up being root
    for (const directory of [place, site.directory]) chmodSync(directory, 0o755)
    recipesAt = site.path('git/recipes')
    writeFiles(place, { 'files/release.txt': 'released\n' })
    const git = `git://127.0.0.1:${port}`
    const files = `http://127.0.0.1:${plain}/distfiles`
    await site.commit('upstream', { data: 'one\n' })
    site.tag('upstream', 'v1.0')
    await site.commit('library', { data: 'one\n' })
    const checked = 'checked\n'
    await site.commit('recipes', {
      ...recipe('clock', recipes.clock(git)),
      ...recipe('ticking', recipes.ticking),
      ...recipe('revision', recipes.revision(git)),
      ...recipe('pinned', recipes.pinned(git)),
      ...recipe('fetched', recipes.fetched(files, createHash('sha256').update(checked).digest('hex'))),
      'packages/fetched/checked.txt': checked,
      ...recipe('online', recipes.online('online', files)),
      ...recipe('lonely', recipes.online('lonely', files)),
      ...below('packages', recipes.hooked('1.0')),
      ...recipe('epochal', recipes.epoch('', '2.0')),
      ...recipe('elder', recipes.elder),
      ...below('packages', recipes.unusual),
      ...below('packages', recipes.usual(1)),
      ...recipe('split', recipes.split),
      ...recipe('torn', recipes.torn('1.0', 'install -d "$pkgdir/usr/share/torn-second"')),
    })
    mkdirSync(site.path('srv/published'), { recursive: true })
    const { stdout } = await site.start(['config', 'nginx'])
    const { content } = JSON.parse(stdout) as { content: string }
    servers.push(await startNginx(join(place, 'nginx'), http, [content, directoryBlock(plain, join(place, 'files'))]))
    servers.push(await startGitDaemon(site.path('git'), port))
  })
  after(async () => {
    for (const server of servers) await server.stop()
    ArchSite.removeAll()
    if (place !== '') execFileSync('rm', ['-rf', '--one-file-system', place])
  })

  it('are built, and one that wants the network for package() is refused alone', async () => {
    const run = await site.run()
    expect(run, run.told.join('\n')).to.include({ status: 'built', partial: true, exitCode: 3 })
    const failed = run.recipes.filter(({ status }) => status !== 'built')
    expect(failed.map(({ base, status }) => [base, status])).to.deep.equal([['lonely', 'failed']])
    expect(failed[0]).to.deep.include({ code: 'RECIPE_FAILED' })
    expect(failed[0]).to.have.property('hint').that.includes('`network`')
    expect(run.recipes).to.have.length(15)
  })

  it('have the network where it is allowed; nothing else is built again, though time goes by', async () => {
    site.configure(settings(`network: [online, lonely]\ndebug: true\n${signed}`))
    const run = await site.run()
    expect(run.recipes, run.told.join('\n')).to.deep.equal([{ base: 'lonely', status: 'built', version: '1.0-1' }])
    expect(memberOf(packageOf(site, 'lonely'), 'usr/share/lonely')).to.equal('released\n')
  })

  it('make the same packages, bit for bit, elsewhere and later; only a clock tells another version', async () => {
    other = await ArchSite.create(settings('network: [online, lonely]'))
    const run = await other.run()
    expect(run, run.told.join('\n')).to.include({ partial: false, exitCode: 0 })
    const [here, there] = [site, other].map((one) => digestOf(one.path('builder/packages/own')))
    const odd = differences(here!, there!).filter((one) => !/^(clock|ticking|own-keyring)-/.test(one))
    // not kept in the other place, which is the default
    expect(odd).to.deep.equal(['usual-debug-1.0-1-x86_64.pkg.tar.zst is missing'])
    expect(differingMembers(packageOf(site, 'clock'), packageOf(other, 'clock'))).to.deep.equal(
      ['.BUILDINFO', '.MTREE', '.PKGINFO'],
      'what names the version',
    )
  })

  it('start one container where nothing has changed, however many recipes there are', async () => {
    const started = new CountedPrograms(place)
    const { stdout } = await other.start(['run'], { under: started.under })
    expect(JSON.parse(stdout)).to.have.nested.include({ 'pacman[0].status': 'unchanged' })
    expect(started.count('systemd-nspawn'), 'for the versions of the root').to.equal(1)
  })

  it('reach a client: scripts run, symbols are kept or are apart, sources are what was asked for', async () => {
    client = await PacmanClient.create(
      join(place, 'client'),
      () => undefined,
      () => undefined,
      stop.signal,
    )
    const { stdout } = await site.start(['config', 'pacman', 'own'])
    await client.configure(JSON.parse(stdout) as PacmanConfiguration)
    await client.pacman('-S', 'hooked', 'elder', 'usual', 'unusual', 'epochal', 'split-program', 'clock', 'pinned')
    await client.pacman('-S', 'torn-first', 'torn-second', 'fetched', 'revision')
    expect(await client.installed()).to.include({
      ...{ 'split-program': '1.0-1', 'split-data': '1.0-1', revision: 'r1-1', epochal: '2.0-1', elder: '3.0-1' },
    })
    expect(client.read('var/lib/hooked')).to.equal('installed 1.0-1\n')
    expect(client.read('usr/share/fetched/release.txt')).to.equal('released\n')
    const symbols = (path: string): string => execFileSync('readelf', ['--syms', '--wide', path], { encoding: 'utf8' })
    expect(symbols(join(client.root, 'usr/bin/unusual'))).to.include(' told')
    expect(symbols(join(client.root, 'usr/bin/usual'))).not.to.include(' told')
    expect(['usr/share/doc/usual/program.c', 'usr/share/usual/empty'].map((path) => client.has(path))).to.deep.equal([
      true,
      true,
    ])
    expect(['usr/share/doc/unusual', 'usr/share/unusual'].map((path) => client.has(path))).to.deep.equal([false, false])
    expect(inDatabase('own').filter((name) => name.includes('debug'))).to.deep.equal([])
    expect(inDatabase('own-debug')).to.deep.equal(['usual-debug-1.0-1'])
    await client.pacman('-S', 'usual-debug')
    expect(symbols(join(client.root, 'usr/lib/debug/usr/bin/usual.debug'))).to.include(' told')
  })

  it('follow what a source follows: its new head builds that recipe, and no other', async () => {
    await site.commit('upstream', { data: 'two\n' })
    const { stdout } = await site.start(['plan', 'own'])
    const { steps } = JSON.parse(stdout) as { steps: { base: string; action: string }[] }
    expect(steps.filter(({ action }) => action === 'build').map(({ base }) => base)).to.deep.equal(['clock'])
  })

  it('bring a client forward: by the clock, by an epoch, to a successor; half a recipe is not published', async () => {
    await site.commit('recipes', {
      ...below('packages', recipes.hooked('2.0')),
      ...recipe('epochal', recipes.epoch('epoch=1', '0.5')),
      'packages/elder': null,
      ...recipe('successor', recipes.successor),
      ...below('packages', recipes.usual(2)),
      ...recipe('torn', recipes.torn('2.0', 'false')),
    })
    site.configure(settings(`network: [online, lonely]\n${signed}`))
    const run = await site.run()
    const became = Object.fromEntries(run.recipes.map(({ base, status }) => [base, status]))
    expect(became, run.told.join('\n')).to.deep.equal({
      ...{ clock: 'built', hooked: 'built', epochal: 'built', successor: 'built', usual: 'built' },
      ...{ torn: 'failed', elder: 'removed' },
    })
    const before = await client.installed()
    const { lines } = await client.pacman('-Syu')
    expect(lines.join('\n')).to.match(/Replace elder with own\/successor/)
    const { clock, ...now } = await client.installed()
    expect(compareVersions(clock ?? '', before.clock ?? '')).to.equal(1)
    expect(now).to.include({ hooked: '2.0-1', epochal: '1:0.5-1', successor: '1.0-1', usual: '2.0-1' })
    expect(now)
      .to.include({ 'torn-first': '1.0-1', 'torn-second': '1.0-1', revision: 'r1-1' })
      .and.not.have.property('elder')
    expect(client.read('usr/share/clock')).to.equal('two\n')
    expect(client.read('usr/share/pinned')).to.equal('one\n')
    expect(client.read('var/lib/hooked')).to.equal('installed 1.0-1\nupgraded to 2.0-1 from 1.0-1\n')
    expect(inDatabase('own-debug'), 'clients that were told of it go on asking for it').to.deep.equal([])
  })
})

function recipe(name: string, text: string): Record<string, string> {
  return { [`packages/${name}/PKGBUILD`]: text }
}

function below(directory: string, files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([path, text]) => [`${directory}/${path}`, text]))
}
