import { expect } from 'chai'
import { chmodSync, mkdirSync, renameSync } from 'node:fs'
import { describeRun } from '../../src/cli/run-outcome.js'
import { parseConfig } from '../../src/config/load.js'
import { chrootFor } from '../../src/machines/repo-order.js'
import { firstFailure } from '../../src/pipeline/run.js'
import { makeSigningKey } from '../lab/signing-key.js'
import { temporaryDirectory, writeFiles } from '../lab/temporary.js'
import { RunSite } from './run-site.js'

describe('a run', function () {
  this.timeout(30_000)
  const directory = temporaryDirectory()
  let site: RunSite
  const textOf = (outcome: Awaited<ReturnType<RunSite['run']>>) => describeRun(outcome).text

  beforeEach(() => {
    site = new RunSite(directory())
    site.profile()
    site.repo('base')
    site.repo('own', 'base')
  })

  it('packs a repo after the one it builds upon, also the first time, though only this is listed', async () => {
    const { repos } = await site.run(site.config(['own', 'base'], { box: ['own'] }))
    expect(repos.map(({ name, status }) => [name, status])).to.deep.equal([
      ['base', 'snapshot'],
      ['own', 'snapshot'],
    ])
  })

  it('refuses a machine that lacks a repo its repos build upon, and says what to add', async () => {
    const { machines } = await site.run(site.config(['own', 'base'], { box: ['own'] }))
    expect(machines[0]).to.have.property('status', 'failed')
    const error = firstFailure({ repos: [], pacman: [], machines })
    expect(error).to.include({ code: 'MASTER_NOT_LISTED', category: 'configuration' })
    expect(error?.hint).to.contain('add base to machines.box.repos')
  })

  it('names the repo that builds upon an unknown one as the cause', async () => {
    const outcome = await site.run(site.config(['own'], { box: ['own'] }))
    expect(firstFailure(outcome)).to.include({ code: 'MASTER_UNKNOWN' })
    expect(textOf(outcome)).to.contain('box: not built: own failed')
  })

  it('generates the cache of a repo that is only built upon in the root of the first machine that needs it', () => {
    const config = site.config(['base', 'own', 'other'], { web: ['other'], box: ['own'], late: ['own'] })
    expect(chrootFor(config, 'base', new Map([['own', ['base']]]))).to.equal('box')
    expect(chrootFor(config, 'base', new Map())).to.equal(undefined)
  })

  it('reports a failure once: what depends on it was not built, and the exit code is that of the cause', async () => {
    renameSync(site.path('git/base'), site.path('git/away'))
    const outcome = await site.run(site.config(['base', 'own'], { box: ['own', 'base'] }))
    const statuses = [...outcome.repos, ...outcome.machines].map(({ name, status }) => `${name} ${status}`)
    expect(statuses).to.deep.equal(['base failed', 'own skipped', 'box skipped'])
    expect(firstFailure(outcome)).to.include({ code: 'GIT_FAILED', category: 'infrastructure' })
    expect(textOf(outcome)).to.contain('own: not built: base failed\nbox: not built: base failed')
  })

  it('is told that the key cannot sign before anything is fetched or built', async () => {
    const key = await makeSigningKey(directory(), 'release')
    chmodSync(key.secret, 0o644)
    const config = parseConfig(
      `schema: 1
publisher: { root: ${site.path('srv')} }
builder: { directory: ${site.path('builder')} }
keys: { release: { fingerprint: ${key.fingerprint}, public: ${key.public}, secret: ${key.secret} } }
pacman: { own: { sign: release, repositories: [{ url: ${site.path('git/recipes')} }] } }
`,
      site.path('treeswap.yaml'),
    )
    expect(firstFailure(await site.run(config))).to.include({ code: 'KEY_EXPOSED' })
  })

  it('names what an interrupted copy left in the place of an artifact, and what to do', async () => {
    const rest = site.path('builder/artifacts/repos/base/1')
    writeFiles(rest, { 'base.tar.zst': '' })
    const outcome = await site.run(site.config(['base'], { box: ['base'] }))
    const error = firstFailure(outcome)
    expect(error).to.include({ code: 'ARTIFACT_EXISTS' })
    expect(error?.hint).to.contain('has no build.json').and.to.contain(`remove ${rest}`)
  })

  it('does not take a repo that never had a snapshot for one that may wait for its interval', async () => {
    renameSync(site.path('git/base'), site.path('git/away'))
    const outcome = await site.run(site.config(['base'], { box: ['base'] }), ['repo:base'])
    expect(outcome.machines[0]).to.include({ status: 'skipped', because: 'base' })
  })

  it('uses the last good snapshot of a repo that fails, and says so', async () => {
    const config = site.config(['base', 'own'], { box: ['own', 'base'] })
    await site.run(config)
    await site.archive(config, 'box', 1)
    expect(textOf(await site.run(config))).to.not.contain('last good')
    renameSync(site.path('git/own'), site.path('git/away'))
    const outcome = await site.run(config)
    expect(outcome.machines[0]).to.deep.include({
      status: 'unchanged',
      published: 1,
      earlier: [{ name: 'own', number: 1 }],
    })
    expect(textOf(outcome)).to.contain('with own@1, its last good snapshot')
  })

  it('does the rest where something fails that nobody foresaw', async () => {
    mkdirSync(site.path('builder/git/profiles'), { recursive: true })
    writeFiles(site.path('builder/git/profiles'), { box: 'a file' })
    const config = site.config(['base'], { box: ['base'], web: ['base'] })
    await site.run(config)
    await site.archive(config, 'web', 1)
    const { machines } = await site.run(config)
    expect(machines.map(({ status }) => status)).to.deep.equal(['failed', 'published'])
    const error = firstFailure({ repos: [], pacman: [], machines })
    expect(error).to.include({ code: 'UNEXPECTED', category: 'infrastructure' })
    expect(error?.message).to.match(/^building box failed: E/)
  })
})
