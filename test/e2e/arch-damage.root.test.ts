import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { needsRoot } from '../lab/needs-root.js'
import { ArchSite, recipe } from './arch-site.js'
import type { RepoRun } from './arch-site.js'

describe('a pacman repo whose artifacts are damaged', function () {
  this.timeout(900_000)
  let site: ArchSite

  const run = async (...more: string[]): Promise<RepoRun & { exitCode: number; told: string[] }> => {
    const result = await site.start(['run', 'own', ...more])
    const [repo] = (result.document() as { pacman: RepoRun[] }).pacman
    return { ...repo!, exitCode: result.exitCode, told: result.told }
  }
  const versions = ({ recipes }: RepoRun): string[] =>
    recipes.map(({ base, status, version }) => [base, status, version].filter(Boolean).join(' ')).sort()
  const served = async (): Promise<string> => (await site.start(['show', 'own@published'])).stdout
  /** Cuts what a build has, and takes what the agent has itself. */
  const damage = (number: number, file: RegExp): void => {
    const directory = site.path('builder/artifacts/own', String(number))
    const [found] = readdirSync(directory).filter((name) => file.test(name))
    truncateSync(`${directory}/${found}`, 10)
    rmSync(site.path('builder/packages'), { recursive: true })
  }

  before(needsRoot)
  before(async () => {
    site = await ArchSite.create('repositories: [{ url: PATH/git/recipes }]')
    const split = recipe('split')
      .replace('pkgname=split', 'pkgbase=split\npkgname=(split split-libs)')
      .replace('package() {', 'package_split() { :; }\npackage_split-libs() {')
    await site.commit('recipes', {
      'alpha/PKGBUILD': recipe('alpha'),
      'beta/PKGBUILD': recipe('beta', { lines: 'depends=(alpha)' }),
      'split/PKGBUILD': split,
    })
    expect(versions(await run())).to.deep.equal(['alpha built 1.0-1', 'beta built 1.0-1', 'split built 1.0-1'])
    await site.commit('recipes', { 'beta/PKGBUILD': recipe('beta', { version: '1.1', lines: 'depends=(alpha)' }) })
    expect(versions(await run())).to.deep.equal(['beta built 1.1-1'])
  })
  after(() => {
    ArchSite.removeAll()
  })

  it('says which build is damaged and what to do, and goes on by that, with higher versions', async () => {
    damage(1, /^packages\.tar/)
    await site.commit('recipes', {
      'split/PKGBUILD': readFileSync(site.path('git/recipes/split/PKGBUILD'), 'utf8') + '#\n',
    })
    const refused = await run()
    expect(refused.error?.code).to.equal('BASE_DAMAGED')
    expect(refused.error?.message).to.match(/own@1.*alpha, split.*packages\.tar/)
    expect(refused.error?.hint).to.include('`treeswap run own --rebuild all`')
    const over = await run('--rebuild', 'all')
    expect(over.exitCode, over.told.join('\n')).to.equal(0)
    expect(versions(over)).to.deep.equal(['alpha built 1.0-1.1', 'beta built 1.1-1.1', 'split built 1.0-1.1'])
    expect(over.told.join('\n')).to.match(/own@1.*goes on without/)
    expect(await run()).to.include({ status: 'unchanged', exitCode: 0 })
  })

  it('does without what a build says of its recipes, and takes nothing from clients', async () => {
    damage(3, /^recipes\.tar/)
    expect((await run()).error?.message).to.include('own@3 says of its recipes')
    await site.commit('recipes', { 'beta/PKGBUILD': 'pkgname=(' })
    const unread = await run('--rebuild', 'all')
    expect(unread.error?.code).to.equal('PACKAGES_LOST')
    expect(unread.error?.message).to.include('beta')
    await site.commit('recipes', { 'beta/PKGBUILD': recipe('beta', { version: '1.1', lines: 'depends=(alpha)' }) })
    const over = await run('--rebuild', 'all')
    expect(over.exitCode, over.told.join('\n')).to.equal(0)
    expect(versions(over)).to.deep.equal(['alpha built 1.0-1.2', 'beta built 1.1-1.2', 'split built 1.0-1.2'])
    expect(await served()).to.include('split-libs-1.0-1.2')
  })

  it('archives nothing where what is lost cannot be built anew', async () => {
    damage(4, /^packages\.manifest/)
    expect((await run()).error?.message).to.include('the list of packages of own@4')
    const failing = recipe('alpha', { lines: 'build() { false; }' })
    await site.commit('recipes', { 'alpha/PKGBUILD': failing })
    const lost = await run('--rebuild', 'all')
    expect(lost.error?.code, JSON.stringify(lost)).to.equal('PACKAGES_LOST')
    expect(lost.error?.message).to.match(/alpha .*makepkg failed.*beta .*needs alpha/)
    expect(await served()).to.include('alpha-1.0-1.2')
    await site.commit('recipes', { 'alpha/PKGBUILD': recipe('alpha') })
    expect(versions(await run('--rebuild', 'all'))).to.deep.equal([
      'alpha built 1.0-1.3',
      'beta built 1.1-1.3',
      'split built 1.0-1.3',
    ])
  })

  it('names the build whose record cannot be read', async () => {
    writeFileSync(site.path('builder/artifacts/own/5/build.json'), '{')
    const refused = await run('--rebuild', 'all')
    expect(refused.error?.code).to.equal('BASE_DAMAGED')
    expect(refused.error?.message).to.include('the record of own@5')
  })
})
