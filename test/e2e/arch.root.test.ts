import { execFileSync } from 'node:child_process'
import { readdirSync, rmSync } from 'node:fs'
import { expect } from 'chai'
import { compile } from '../cli/treeswap.js'
import { needsRoot } from '../lab/needs-root.js'
import { writeFiles } from '../lab/temporary.js'
import { ArchSite, recipe } from './arch-site.js'
import type { RepoRun } from './arch-site.js'

const settings = `repositories: [{ url: PATH/git/recipes }]
programs: [{ url: PATH/git/program, path: pkg, tags: 'v*' }]
lists: [{ url: PATH/git/lists, file: names, base: PATH/git/aur }]`

describe('a pacman repo, from git to what clients are served', function () {
  this.timeout(600_000)
  before(needsRoot)
  let site: ArchSite

  before(compile)
  before(async () => {
    site = await ArchSite.create(settings)
    await site.commit('recipes', {
      'alpha/PKGBUILD': recipe('alpha'),
      'beta/PKGBUILD': recipe('beta', { lines: 'depends=(alpha)' }),
    })
    const sources = 'source=(data.txt)\nsha256sums=(0000000000000000000000000000000000000000000000000000000000000000)'
    await site.commit('program', { 'pkg/PKGBUILD': recipe('program', { lines: sources }), 'pkg/data.txt': 'one\n' })
    site.tag('program', 'v1.2')
    await site.commit('lists', { names: '# the list\ngamma: a remark\n' })
    await site.commit('aur/gamma.git', { PKGBUILD: recipe('gamma', { lines: 'depends=(delta glibc)' }) })
    await site.commit('aur/delta.git', { PKGBUILD: recipe('delta') })
  })
  after(() => ArchSite.removeAll())

  const served = (): string[] =>
    readdirSync(site.path('srv/published/own/os/x86_64')).filter((name) => name.endsWith('.pkg.tar.zst'))

  it('is built from a recipe repository, a tag, and a list with what that needs', async () => {
    const run = await site.run()
    expect(run, run.told.join('\n')).to.deep.include({ status: 'built', number: 1, partial: false, exitCode: 0 })
    expect(run.recipes.map(({ base, status, version }) => [base, status, version])).to.have.deep.members([
      ['alpha', 'built', '1.0-1'],
      ['beta', 'built', '1.0-1'],
      ['delta', 'built', '1.0-1'],
      ['gamma', 'built', '1.0-1'],
      ['program', 'built', '1.2-1'],
    ])
    expect(served()).to.have.length(5)
  })

  it('is left alone where nothing has changed, and what a killed run left is gone', async () => {
    const work = site.path('builder/work/runs/own')
    writeFiles(work, { 'recipe-killed/recipe/PKGBUILD': '' })
    const run = await site.run()
    expect(run).to.deep.include({ status: 'unchanged', number: 1, published: 1, recipes: [], exitCode: 0 })
    expect(readdirSync(work)).to.deep.equal([])
  })

  it('gets one package more by a tag, and nothing else', async () => {
    site.tag('program', 'v1.10')
    const { stdout } = await site.start(['plan', 'own'])
    const { steps } = JSON.parse(stdout) as { steps: { base: string; action: string; why: string[] }[] }
    expect(steps.filter(({ action }) => action === 'build').map(({ base }) => base)).to.deep.equal(['program'])
    const run = await site.run()
    expect(run.recipes, run.told.join('\n')).to.deep.equal([{ base: 'program', status: 'built', version: '1.10-1' }])
    const size = Number(execFileSync('stat', ['-c', '%s', site.path('builder/artifacts/own/2/packages.tar')]))
    expect(size, 'one package is packed, the others are named').to.be.lessThan(21_000)
  })

  it('has what depends on a new version rebuilt, with a higher pkgrel', async () => {
    await site.commit('recipes', { 'alpha/PKGBUILD': recipe('alpha', { version: '1.1' }) })
    const run = await site.run()
    expect(run.recipes, run.told.join('\n')).to.deep.equal([
      { base: 'alpha', status: 'built', version: '1.1-1' },
      { base: 'beta', status: 'built', version: '1.0-1.1' },
    ])
  })

  it('publishes the rest where a recipe fails, and leaves its dependants as they were', async () => {
    await site.commit('recipes', {
      'alpha/PKGBUILD': recipe('alpha', { version: '1.2', lines: 'build() { echo broken; false; }' }),
      'epsilon/PKGBUILD': recipe('epsilon'),
    })
    const run = await site.run()
    expect(run, run.told.join('\n')).to.include({ status: 'built', partial: true, exitCode: 3 })
    expect(run.recipes.map(({ base, status }) => [base, status])).to.have.deep.members([
      ['alpha', 'failed'],
      ['beta', 'skipped'],
      ['epsilon', 'built'],
    ])
    expect(served()).to.include.members([
      ...['alpha-1.1-1-any.pkg.tar.zst', 'beta-1.0-1.1-any.pkg.tar.zst', 'epsilon-1.0-1-any.pkg.tar.zst'],
    ])
    await site.commit('recipes', { 'alpha/PKGBUILD': recipe('alpha', { version: '1.2' }) })
    const healed = await site.run()
    expect(healed.recipes.map(({ base, version }) => [base, version])).to.deep.equal([
      ['alpha', '1.2-1'],
      ['beta', '1.0-1.2'],
    ])
  })

  it('refuses a version that would not rise, and proposes the epoch', async () => {
    await site.commit('recipes', { 'alpha/PKGBUILD': recipe('alpha', { version: '0.9' }) })
    const run = await site.run()
    expect(run).to.include({ status: 'unchanged', exitCode: 3 })
    const [alpha] = run.recipes
    expect(alpha).to.include({ base: 'alpha', status: 'failed', code: 'VERSION_NOT_RISING' })
    expect(alpha?.hint).to.include('epoch=1')
    await site.commit('recipes', { 'alpha/PKGBUILD': recipe('alpha', { version: '0.9', lines: 'epoch=1' }) })
    const healed = await site.run()
    expect(healed.recipes.map(({ base, version }) => [base, version])).to.deep.equal([
      ['alpha', '1:0.9-1'],
      ['beta', '1.0-1.3'],
    ])
  })

  it('rebuilds one recipe on an empty agent with the packages of the last build', async () => {
    for (const name of ['packages', 'srcinfo', 'records', 'git', 'work', 'distfiles', 'logs']) {
      rmSync(site.path('builder', name), { recursive: true, force: true })
    }
    const log = (recipe: string) => site.start(['log', 'own', '--recipe', recipe])
    const { exitCode, told, stdout } = await site.start(['run', 'own', '--rebuild', 'beta'])
    expect(exitCode, told.join('\n')).to.equal(0)
    const [own] = (JSON.parse(stdout) as { pacman: RepoRun[] }).pacman
    expect(own?.recipes).to.deep.equal([{ base: 'beta', status: 'built', version: '1.0-1.4' }])
    expect((await log('beta')).stdout)
      .to.include('Making package: beta')
      .and.to.match(/installing alpha/)
    expect((await log('alpha')).document()).to.have.nested.property('error.code', 'LOG_MISSING')
  })

  it('loses the packages of a name that is taken off the list, and refuses an empty list', async () => {
    await site.commit('lists', { names: '# nothing\n' })
    const refused = await site.run()
    expect(refused).to.include({ status: 'unchanged', exitCode: 3 })
    expect(refused.recipes.map(({ base, code }) => [base, code])).to.deep.equal([
      [site.path('git/lists'), 'LIST_EMPTY'],
    ])
    await site.commit('lists', { names: 'delta\n' })
    const run = await site.run()
    expect(run.recipes, run.told.join('\n')).to.deep.equal([{ base: 'gamma', status: 'removed' }])
    const { stdout } = await site.start(['diff', 'own@-1', 'own@published'])
    expect(stdout).to.include('gamma')
    // recipes, program, lists and delta
    expect(readdirSync(site.path('builder/git/recipes/own'))).to.have.length(4)
    for (const place of ['distfiles/own/own', 'logs/own']) {
      const names = readdirSync(site.path('builder', place)).map((name) => name.replace(/~.*|\.log/, ''))
      expect(names, place).to.include('beta').and.not.include('gamma')
    }
  })
})
