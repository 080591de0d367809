import { expect } from 'chai'
import { renameSync } from 'node:fs'
import { needsRoot } from '../lab/needs-root.js'
import { ArchSite, recipe } from './arch-site.js'

const settings = `repositories: [{ url: PATH/git/recipes }]
programs: [{ url: PATH/git/program, path: pkg, tags: 'v*' }]
lists: [{ url: PATH/git/lists, file: names, base: PATH/git/aur }]
packager: 'Tests <tests@example.org>'`

describe('a pacman repo of which something cannot be read', function () {
  this.timeout(600_000)
  let site: ArchSite

  const outcomes = (run: Awaited<ReturnType<ArchSite['run']>>): Record<string, string> =>
    Object.fromEntries(run.recipes.map(({ base, status }) => [base, status]))
  /** Takes a git repository away for the time of a run. */
  const without = async (name: string): ReturnType<ArchSite['run']> => {
    renameSync(site.path('git', name), site.path('git/away'))
    try {
      return await site.run()
    } finally {
      renameSync(site.path('git/away'), site.path('git', name))
    }
  }

  before(needsRoot)
  before(async () => {
    site = await ArchSite.create(settings)
    await site.commit('recipes', {
      'alpha/PKGBUILD': recipe('alpha'),
      'beta/PKGBUILD': recipe('beta', { lines: 'depends=(alpha)' }),
    })
    await site.commit('program', { 'pkg/PKGBUILD': recipe('program') })
    site.tag('program', 'v1.0')
    await site.commit('lists', { names: 'gamma\nzeta\n' })
    await site.commit('aur/gamma.git', { PKGBUILD: recipe('gamma', { lines: 'depends=(delta)' }) })
    await site.commit('aur/zeta.git', { PKGBUILD: recipe('zeta', { lines: "depends=('delta>=1')" }) })
    await site.commit('aur/delta.git', { PKGBUILD: recipe('delta') })
    await site.commit('aur/alpha.git', { PKGBUILD: recipe('alpha', { version: '9.0' }) })
    const run = await site.run()
    expect(Object.keys(outcomes(run)).sort()).to.deep.equal(['alpha', 'beta', 'delta', 'gamma', 'program', 'zeta'])
  })
  after(() => {
    ArchSite.removeAll()
  })

  it('keeps what only others need, whether it is away itself or one that needs it', async () => {
    expect(outcomes(await without('aur/delta.git'))).to.deep.equal({ delta: 'failed' })
    expect(outcomes(await without('aur/gamma.git'))).to.deep.equal({ gamma: 'failed' })
    expect(await site.run()).to.include({ status: 'unchanged', exitCode: 0 })
  })

  it('builds what the other sources have', async () => {
    await site.commit('aur/zeta.git', { PKGBUILD: recipe('zeta', { version: '1.1', lines: "depends=('delta>=1')" }) })
    const run = await without('program')
    expect(outcomes(run)).to.deep.equal({ program: 'failed', zeta: 'built' })
    expect(run).to.include({ exitCode: 3, status: 'built' })
    expect(outcomes(await without('recipes'))).to.deep.equal({ [site.path('git/recipes')]: 'failed' })
  })

  it('leaves alone what was built with a recipe that cannot be read, and takes no other of its name', async () => {
    await site.commit('recipes', { 'alpha/PKGBUILD': null, 'moved/PKGBUILD': 'pkgname=(' })
    expect(outcomes(await site.run())).to.deep.equal({ moved: 'failed' })
    const { stdout } = await site.start(['show', 'own'])
    expect(stdout).to.include('alpha-1.0-1-any').and.not.include('alpha-9.0')
    await site.commit('recipes', { 'moved/PKGBUILD': null, 'alpha/PKGBUILD': recipe('alpha') })
    expect(await site.run()).to.include({ status: 'unchanged', exitCode: 0 })
  })

  it('builds nothing with packages that are leaving, and takes a recipe back that was gone', async () => {
    await site.commit('recipes', { 'alpha/PKGBUILD': null })
    await site.commit('aur/alpha.git', { PKGBUILD: 'pkgname=(' })
    const run = await site.run()
    expect(outcomes(run)).to.deep.equal({ alpha: 'removed', beta: 'failed' })
    expect(run.recipes.find(({ base }) => base === 'beta')).to.include({ code: 'DEPENDENCIES_MISSING' })
    await site.commit('recipes', { 'alpha/PKGBUILD': recipe('alpha') })
    const back = await site.run()
    expect(back.recipes.map(({ base, status, version }) => [base, status, version])).to.deep.equal([
      ['alpha', 'built', '1.0-1.1'],
      ['beta', 'built', '1.0-1.1'],
    ])
    expect(back.exitCode).to.equal(0)
  })
})
