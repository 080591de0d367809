import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect } from 'chai'
import { needsRoot } from '../lab/needs-root.js'
import { ArchSite, recipe } from './arch-site.js'

describe('a pacman repo with recipes at the edges', function () {
  this.timeout(600_000)
  let site: ArchSite
  let server: Server
  let served = 0

  before(needsRoot)
  before(async () => {
    server = createServer((_request, answer) => {
      served++
      answer.end('the source\n')
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => server.once('listening', resolve))
    site = await ArchSite.create(`repositories: [{ url: PATH/git/recipes }]`)
  })
  after(() => {
    server.close()
    ArchSite.removeAll()
  })

  const downloading = (version: string): string => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/source.txt`
    return recipe('downloading', { version, lines: `source=('${url}')\nsha256sums=(SKIP)` })
  }
  const statuses = ({ recipes }: Awaited<ReturnType<ArchSite['run']>>): string[] =>
    recipes.map(({ base, status, reason }) => [base, status, ...(reason === undefined ? [] : [reason])].join(' '))

  /** When a package says that it was built: seconds since 1970. */
  const dateOf = (file: string): string => {
    const path = site.path('builder/packages/own', file)
    const info = execFileSync('tar', ['--zstd', '-xOf', path, '.PKGINFO'], { encoding: 'utf8' })
    return /^builddate = (\d+)$/m.exec(info)?.[1] ?? info
  }
  let date = ''

  it('has those whose .SRCINFO is longer than what is kept of a log', async () => {
    const many = Array.from({ length: 2100 }, (_, index) => `'opt${index}: why'`).join(' ')
    await site.commit('recipes', {
      'long/PKGBUILD': recipe('long', { lines: `optdepends=(${many})` }),
      'downloading/PKGBUILD': downloading('1.0'),
    })
    expect(statuses(await site.run())).to.have.members(['long built', 'downloading built'])
    expect(served).to.equal(1)
    date = dateOf('long-1.0-1-any.pkg.tar.zst')
  })

  it('fetches sources again that an earlier root had, where the new one cannot own them', async () => {
    expect((await site.start(['chroot', 'remove', 'own'])).exitCode).to.equal(0)
    await site.commit('recipes', { 'downloading/PKGBUILD': downloading('1.1') })
    expect(statuses(await site.run())).to.deep.equal(['downloading built'])
    expect(served).to.equal(2)
  })

  it('takes the same time for now where only other recipes have changed, with an agent that knows nothing', async () => {
    for (const name of ['git', 'srcinfo']) rmSync(site.path('builder', name), { recursive: true })
    const { exitCode, told } = await site.start(['run', 'own', '--rebuild', 'long'])
    expect(exitCode, told.join('\n')).to.equal(0)
    expect(dateOf('long-1.0-1.1-any.pkg.tar.zst')).to.equal(date)
    expect(dateOf('downloading-1.1-1-any.pkg.tar.zst')).not.to.equal(date)
  })

  it('makes no build where only a recipe goes that never had a package, and takes away what killed runs left', async () => {
    await site.commit('recipes', {
      'failing/PKGBUILD': recipe('failing', { lines: 'build() { false; }' }),
      'downloading/PKGBUILD': downloading('1.2'),
    })
    const { number, recipes } = await site.run()
    expect(recipes.map(({ base, status }) => `${base} ${status}`)).to.have.members([
      'downloading built',
      'failing failed',
    ])
    await site.commit('recipes', { failing: null })
    const left = site.path('builder/work/runs/own/recipes-1234')
    mkdirSync(left, { recursive: true })
    const run = await site.run()
    expect(run).to.include({ status: 'unchanged', number, exitCode: 0 })
    expect(run.recipes).to.deep.equal([])
    expect(existsSync(left)).to.equal(false)
  })

  describe('of which somebody else writes some', () => {
    const codes = (all: { base: string; status?: string; code?: string }[]): string[] =>
      all.map(({ base, status, code }) => [base, status, code].filter(Boolean).join(' '))
    const listed = 'lists: [{ url: PATH/git/lists, file: names, base: PATH/git/aur }]'
    /** What `treeswap plan` says cannot be built. */
    const brokenInPlan = async (): Promise<string[]> => {
      const { broken } = (await site.start(['plan', 'own'])).document() as {
        broken: { base: string; error: { code: string } }[]
      }
      return broken.map(({ base, error: { code } }) => `${base} failed ${code}`)
    }

    before(async () => {
      site.configure(`repositories: [{ url: PATH/git/recipes }]\n${listed}`)
      await site.commit('recipes', { 'alpha/PKGBUILD': recipe('alpha') })
      await site.commit('lists', { names: 'gamma\n' })
      await site.commit('aur/gamma.git', { PKGBUILD: recipe('gamma', { lines: 'depends=(delta)' }) })
      await site.commit('aur/delta.git', { PKGBUILD: recipe('delta') })
      const { exitCode, told } = await site.run()
      expect(exitCode, told.join('\n')).to.equal(0)
    })

    it('builds the others where these need each other, and keeps what there is of them', async () => {
      await site.commit('recipes', { 'alpha/PKGBUILD': recipe('alpha', { version: '1.1' }) })
      await site.commit('aur/delta.git', { PKGBUILD: recipe('delta', { lines: 'makedepends=(gamma)' }) })
      const cycle = ['delta failed RECIPES_CYCLIC', 'gamma failed RECIPES_CYCLIC']
      expect(await brokenInPlan()).to.have.members(cycle)
      const { recipes, exitCode, status } = await site.run()
      expect(codes(recipes)).to.have.members(['alpha built', ...cycle])
      expect([exitCode, status]).to.deep.equal([3, 'built'])
      const { stdout } = await site.start(['show', 'own'])
      for (const name of ['alpha-1.1-1', 'gamma-1.0-1', 'delta-1.0-1']) expect(stdout).to.include(name)
      await site.commit('aur/delta.git', { PKGBUILD: recipe('delta') })
      expect(await site.run()).to.include({ status: 'unchanged', exitCode: 0 })
    })

    it('builds the others where these claim the name of an own package', async () => {
      await site.commit('recipes', { 'alpha/PKGBUILD': recipe('alpha', { version: '1.2' }) })
      const split = `unset -f package\npkgname=(gamma alpha)\npackage_gamma() { :; }\npackage_alpha() { :; }\n`
      await site.commit('aur/gamma.git', { PKGBUILD: `${recipe('gamma', { version: '9.0' })}\n${split}` })
      expect(await brokenInPlan()).to.deep.equal(['gamma failed PACKAGE_TWICE'])
      const { recipes, exitCode } = await site.run()
      expect(codes(recipes)).to.have.members(['alpha built', 'gamma failed PACKAGE_TWICE'])
      expect(exitCode).to.equal(3)
      const { stdout } = await site.start(['show', 'own'])
      for (const name of ['alpha-1.2-1', 'gamma-1.0-1', 'delta-1.0-1']) expect(stdout).to.include(name)
    })
  })
})
