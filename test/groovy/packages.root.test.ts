import { expect } from 'chai'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { compile } from '../cli/treeswap.js'
import { recipe } from '../e2e/arch-site.js'
import { commitAll } from '../lab/commit-all.js'
import { needsRoot } from '../lab/needs-root.js'
import { pacmanBuilderRoot } from '../lab/pacman-root.js'
import { makeKey } from '../signing/keys.js'
import { JobsSite, TOKEN } from './jobs-site.js'

describe("the generated jobs of a pacman repo under Jenkins' engine", function () {
  this.timeout(900_000)
  let site: JobsSite
  let credentials: Parameters<JobsSite['run']>[1] = {}

  before(needsRoot)
  before(compile)
  before(async () => {
    site = await JobsSite.create({ configuration: signedRepo })
    // the seed has made it
    site.jenkins.items.add('treeswap/packages/own')
    change({ alpha: recipe('alpha'), beta: recipe('beta', { lines: 'depends=(alpha)' }) })
  })
  after(() => JobsSite.removeAll())

  async function signedRepo(made: JobsSite): Promise<object> {
    const { config } = await makeKey(made.path('keys'), { passphrase: 'open sesame' })
    const file = readFileSync(config.secretFile!, 'utf8')
    rmSync(config.secretFile!)
    const reader = { username: 'reader', password: TOKEN }
    credentials = { credentials: { 'treeswap-read': reader, pgp: { file }, phrase: { text: 'open sesame' } } }
    return {
      schema: 1,
      publisher: { root: made.path('srv'), http: 'http://127.0.0.1:1', grace: '1h' },
      builder: { directory: made.path('builder') },
      chroots: { own: { from: await pacmanBuilderRoot(() => undefined) } },
      keys: {
        main: {
          fingerprint: config.fingerprint,
          public: config.publicFile,
          credentials: 'pgp',
          'passphrase-credentials': 'phrase',
        },
      },
      pacman: { own: { repositories: [{ url: made.path('git/recipes') }], sign: 'main' } },
    }
  }

  function change(recipes: Record<string, string>): void {
    for (const [name, text] of Object.entries(recipes)) {
      mkdirSync(site.path('git/recipes', name), { recursive: true })
      writeFileSync(site.path('git/recipes', name, 'PKGBUILD'), text)
    }
    commitAll(site.path('git/recipes'))
  }

  const poll = () => site.run('polls/own')
  const build = () => site.run('packages/own', credentials)
  const served = (file: string): boolean => existsSync(site.path('srv/published/own/os/x86_64', file))

  it('build what a poll has found, sign and publish it', async () => {
    const found = await poll()
    expect(found.result, found.console.join('\n')).to.equal('SUCCESS')
    expect(found.description).to.equal('to do: alpha, beta, own-keyring')
    const { result, console, archived, description, agents } = await build()
    expect(result, console.join('\n')).to.equal('SUCCESS')
    expect(archived).to.include.members(['artifact/build.json', 'report/recipes.xml'])
    expect(agents).to.deep.equal(['treeswap', 'publisher'])
    expect(description).to.equal('published as generation 1')
    expect(site.published()).to.equal(1)
    for (const file of ['alpha-1.0-1-any.pkg.tar.zst.sig', 'own.db.sig']) expect(served(file), file).to.equal(true)
    expect(console.join('\n')).not.to.contain('open sesame').and.not.to.contain(TOKEN)
  })

  it('do nothing where nothing has changed, and leave no artifacts that others would have to make room for', async () => {
    const looked = await poll()
    expect([looked.result, looked.description]).to.deep.equal(['NOT_BUILT', 'nothing has changed'])
    const { result, archived, description, agents } = await build()
    expect([result, description, archived, agents]).to.deep.equal([
      'NOT_BUILT',
      'nothing has changed',
      [],
      ['treeswap'],
    ])
    expect(site.published()).to.equal(1)
  })

  it('publish the rest where a recipe fails, and report all of them', async () => {
    change({
      alpha: recipe('alpha', { version: '1.1', lines: 'build() { echo the reason why; false; }' }),
      gamma: recipe('gamma'),
    })
    expect((await poll()).result).to.equal('SUCCESS')
    const { result, console, number } = await build()
    expect(result, console.join('\n')).to.equal('UNSTABLE')
    expect(site.published()).to.equal(number)
    for (const file of ['gamma-1.0-1-any.pkg.tar.zst', 'alpha-1.0-1-any.pkg.tar.zst']) {
      expect(served(file), file).to.equal(true)
    }
    const report = readFileSync(join(site.archived('packages/own', number), 'report/recipes.xml'), 'utf8')
    expect(report)
      .to.contain('name="gamma"')
      .and.to.contain('the reason why')
      .and.to.match(/failures="1".*skipped="1"/)
  })

  it('do not ask again for what has failed, before a day is over or something has changed', async () => {
    const first = await poll()
    expect([first.result, first.description]).to.deep.equal([
      ...['NOT_BUILT', 'nothing new: alpha, beta was asked for before'],
    ])
    const plan = join(site.archived('polls/own', 3), 'report/plan.json')
    writeFileSync(plan, readFileSync(plan, 'utf8').replace(/"at": "[^"]*"/, '"at": "2026-01-01T00:00:00.000Z"'))
    expect((await poll()).result).to.equal('SUCCESS')
  })

  it('fail where nothing can be built, publish nothing, and report the recipe with the end of its log', async () => {
    const before = site.published()
    const { result, error, archived, agents, number } = await build()
    expect(result).to.equal('FAILURE')
    expect(error).to.match(/build: .*alpha/)
    expect(archived).to.deep.equal(['report/recipes.xml'])
    expect(agents).to.deep.equal(['treeswap'])
    expect(site.published()).to.equal(before)
    const report = readFileSync(join(site.archived('packages/own', number), 'report/recipes.xml'), 'utf8')
    expect(report).to.contain('the reason why')
  })

  it('go on from the last build that was published in part', async () => {
    change({ alpha: recipe('alpha', { version: '1.1' }) })
    expect((await poll()).description).to.equal('to do: alpha')
    const { result, console, number } = await build()
    expect(result, console.join('\n')).to.equal('SUCCESS')
    expect(site.published()).to.equal(number)
    expect(served('alpha-1.1-1-any.pkg.tar.zst')).to.equal(true)
    const record = readFileSync(join(site.archived('packages/own', number), 'artifact/build.json'), 'utf8')
    expect(JSON.parse(record)).to.include({ base: 3 })
  })

  it('go back with the key of the tree, and say what is published', async () => {
    const parameters = { TREE: 'own', REFERENCE: '', ACTION: 'rollback' }
    const { result, console, description } = await site.run('publish', { ...credentials, parameters })
    expect(result, console.join('\n')).to.equal('SUCCESS')
    expect(description).to.match(/^own@3 published as generation 4/)
    expect(served('own.db.sig')).to.equal(true)
    const script = `@Library('treeswap') _\ntreeswapReport tree: 'own', config: [url: '${site.path('git/site')}']`
    expect((await site.run('publish', { script })).description).to.match(/^own@3 since /)
  })

  it('go on from a build that was not published, so that its files keep their content', async () => {
    const before = site.published()
    change({ alpha: recipe('alpha', { version: '1.2' }) })
    const broken = { ...credentials, credentials: { ...credentials?.credentials, phrase: { text: 'close sesame' } } }
    const failed = await site.run('packages/own', broken)
    expect(failed.result, failed.console.join('\n')).to.equal('UNSTABLE')
    expect(failed.console.join('\n')).to.include('not published').and.to.include('passphrase')
    expect(site.published()).to.equal(before)
    change({ gamma: recipe('gamma', { version: '1.2' }) })
    const { result, console, number } = await build()
    expect(result, console.join('\n')).to.equal('SUCCESS')
    expect(site.published()).to.equal(number)
    const record = readFileSync(join(site.archived('packages/own', number), 'artifact/build.json'), 'utf8')
    expect(JSON.parse(record)).to.include({ base: failed.number })
    for (const name of ['alpha', 'gamma']) expect(served(`${name}-1.2-1-any.pkg.tar.zst`), name).to.equal(true)
  })

  it('say of a recipe that cannot be read that it cannot, and start nothing', async () => {
    change({ delta: 'pkgname=delta\nexit 1\n' })
    const { result, console, archived } = await poll()
    expect(result, console.join('\n')).to.equal('UNSTABLE')
    expect(console.join('\n')).to.match(/WARNING: .*delta/)
    expect(archived).to.deep.equal([])
  })
})
