import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { expect } from 'chai'
import { ArchSite, recipe } from '../e2e/arch-site.js'
import type { RepoRun } from '../e2e/arch-site.js'
import { needsRoot } from '../lab/needs-root.js'
import type { TreeswapRun } from '../lab/run-treeswap.js'
import { compile } from './treeswap.js'

const settings = `repositories: [{ url: PATH/git/recipes }]`

interface Status {
  tree: string
  published: { build: number } | null
  running: string | null
  lastRun: { status: string; number?: number; partial: boolean; error?: { code: string } } | null
  checked: string | null
  recipes: { base: string; status: string; code?: string; reason?: string }[]
}

describe('a pacman repo of which a recipe fails, run by a timer', function () {
  this.timeout(600_000)
  before(needsRoot)
  before(compile)
  after(() => ArchSite.removeAll())
  let site: ArchSite

  const repoOf = (run: TreeswapRun): RepoRun & { reason?: string } =>
    (run.document() as { pacman: [RepoRun & { reason?: string }] }).pacman[0]
  const timer = () => site.start(['run', '--if-changed'])
  const statusOf = async (): Promise<Status> =>
    ((await site.start(['status', 'own'])).document() as { trees: [Status] }).trees[0]
  const told = (run: TreeswapRun): string => run.told.join('\n')

  before(async () => {
    site = await ArchSite.create(settings)
    await site.commit('recipes', {
      'alpha/PKGBUILD': recipe('alpha'),
      'beta/PKGBUILD': recipe('beta', { lines: 'build() { echo "this is broken"; false; }' }),
      'gamma/PKGBUILD': recipe('gamma', { lines: 'depends=(beta)' }),
    })
  })

  it('tells each recipe that is begun, built or failed, with the end of the log of what failed', async () => {
    const run = await timer()
    expect(run.exitCode, told(run)).to.equal(3)
    expect(run.told).to.include.members(['==> building alpha: it is new', '==> alpha 1.0-1: built'])
    expect(run.told.find((line) => line.startsWith('warning: beta failed [RECIPE_FAILED]'))).to.be.a('string')
    expect(run.told).to.include.members([
      '    | this is broken',
      `    the whole log: ${site.path('builder/logs/own/beta.log')}`,
    ])
    expect(told(run)).not.to.match(/^ {4}alpha: /m)
    expect(run.told.length).to.be.lessThan(60)
  })

  it('is not built again while nothing is new, which is no failure', async () => {
    const run = await timer()
    expect(run.exitCode, told(run)).to.equal(0)
    expect(repoOf(run)).to.include({ status: 'skipped' })
    expect(repoOf(run).reason).to.match(/nothing has changed since these were tried: (beta, gamma|gamma, beta)/)
    expect(told(run)).not.to.include('building')
  })

  it('is described by status: the run that failed, and why, recipe by recipe', async () => {
    const status = await statusOf()
    expect(status).to.deep.include({ tree: 'own', running: null })
    expect(status.lastRun).to.include({ status: 'built', number: 1, partial: true })
    expect(Date.parse(status.checked ?? '')).to.be.greaterThan(0)
    expect(status.recipes.map(({ base, status, code }) => [base, status, code])).to.have.deep.members([
      ['beta', 'failed', 'RECIPE_FAILED'],
      ['gamma', 'skipped', undefined],
    ])
  })

  it('is built again by a run that is asked for, with all its output where that is wanted', async () => {
    const run = await site.start(['run', '--verbose'])
    expect(run.exitCode, told(run)).to.equal(3)
    expect(repoOf(run)).to.include({ status: 'unchanged' })
    expect(run.told).to.include('    beta: this is broken')
    expect((await timer()).exitCode).to.equal(0)
  })

  it('is told once of sources that cannot be read', async () => {
    renameSync(site.path('git/recipes'), site.path('git/away'))
    const first = await timer()
    expect(first.exitCode, told(first)).to.equal(3)
    const second = await timer()
    expect(second.exitCode, told(second)).to.equal(0)
    expect((await statusOf()).recipes.map(({ code }) => code)).to.include('GIT_FAILED')
    renameSync(site.path('git/away'), site.path('git/recipes'))
  })

  it('is built when its recipe is mended, and nothing is left to say', async () => {
    await site.commit('recipes', { 'beta/PKGBUILD': recipe('beta') })
    const run = await timer()
    expect(run.exitCode, told(run)).to.equal(0)
    expect(repoOf(run)).to.include({ status: 'built', partial: false })
    expect(await statusOf()).to.deep.include({ recipes: [] })
  })

  it('is in status also where no build was ever made', async () => {
    site = await ArchSite.create(settings)
    await site.commit('recipes', { 'beta/PKGBUILD': recipe('beta', { lines: 'build() { false; }' }) })
    expect((await timer()).exitCode).to.equal(12)
    const status = await statusOf()
    expect(status).to.include({ published: null })
    expect(status.lastRun).to.include({ status: 'failed' })
    expect(status.recipes).to.have.nested.property('[0].code', 'RECIPE_FAILED')
  })
})

describe('a plan of a pacman repo', function () {
  this.timeout(300_000)
  before(needsRoot)
  before(compile)
  after(() => ArchSite.removeAll())

  it('is made while the repo is built, and does not disturb that', async () => {
    const site = await ArchSite.create(settings)
    const waiting = 'build() { until [ -e "$SRCDEST/go" ]; do sleep 0.1; done; }'
    await site.commit('recipes', {
      'alpha/PKGBUILD': recipe('alpha'),
      'slow/PKGBUILD': recipe('slow', { lines: waiting }),
    })
    let begun: () => void = () => undefined
    const hasBegun = new Promise<void>((resolve) => (begun = resolve))
    const sources = site.path('builder/distfiles/own/own/slow')
    const building = site.start(['run'], {
      onLine: (line) => {
        if (line.startsWith('==> building slow')) begun()
      },
    })
    await Promise.race([hasBegun, building])
    const isBuilding = (): Promise<boolean> => Promise.race([building.then(() => false), Promise.resolve(true)])
    await site.commit('recipes', { 'later/PKGBUILD': recipe('later') })
    for (const round of [1, 2]) {
      const plan = await site.start(['plan', 'own'])
      expect(plan.exitCode, `${round}: ${plan.told.join('\n')}${plan.stdout}`).to.equal(0)
      const { steps } = plan.document() as { steps: { base: string; action: string }[] }
      expect(steps.map(({ base }) => base)).to.have.members(['alpha', 'later', 'slow'])
    }
    const { trees } = (await site.start(['status', 'own'])).document() as { trees: [Status] }
    expect(Date.parse(trees[0].running ?? '')).to.be.greaterThan(0)
    expect(await isBuilding()).to.equal(true)
    mkdirSync(sources, { recursive: true })
    writeFileSync(`${sources}/go`, '')
    const run = await building
    expect(run.exitCode, run.told.join('\n')).to.equal(0)
    expect((run.document() as { pacman: [RepoRun] }).pacman[0].recipes.map(({ base }) => base)).to.have.members([
      'alpha',
      'slow',
    ])
    expect(existsSync(site.path('srv/published/own/os/x86_64/slow-1.0-1-any.pkg.tar.zst'))).to.equal(true)
  })
})
