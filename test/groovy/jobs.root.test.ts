import { expect } from 'chai'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { commitAll } from '../lab/commit-all.js'
import { needsRoot } from '../lab/needs-root.js'
import { writeFiles } from '../lab/temporary.js'
import { ebuild, writeProfile, writeTinyRepo } from '../e2e/tiny-repo.js'
import type { TinyPackage } from '../e2e/tiny-repo.js'
import { stopWhileRuns, JobsSite, mountsOf, processesOf, TOKEN } from './jobs-site.js'

describe("the generated jobs under Jenkins' engine", function () {
  this.timeout(300_000)
  let site: JobsSite

  before(needsRoot)
  before(async () => {
    site = await JobsSite.create()
    const compile = 'env | sort; env | grep -i -e TREESWAP_JENKINS -e SSH_KEY && die; true'
    const packages = [{ cpv: 'app-test/first-1', compile }, { cpv: 'app-test/second-1' }]
    writeTinyRepo(site.path('git/gentoo'), 'gentoo', packages)
    commitAll(site.path('git/gentoo'))
    writeProfile(site.path('git/machines/database'), ['app-test/first', 'app-test/second'])
    commitAll(site.path('git/machines'))
  })
  after(() => JobsSite.removeAll())

  function change(...packages: TinyPackage[]): void {
    writeFiles(site.path('git/gentoo'), Object.fromEntries(packages.map(ebuild)))
    commitAll(site.path('git/gentoo'))
  }

  it('build and publish, and show no credentials to what they build', async () => {
    await site.run('repos/gentoo')
    const { result, console } = await site.run('machines/database')
    expect(result, console.join('\n')).to.equal('SUCCESS')
    expect(site.published()).to.equal(1)
  })

  it('fail with the category, and report the package with the end of its log; the last build stays published', async () => {
    change(
      { cpv: 'app-test/first-2' },
      { cpv: 'app-test/second-2', depends: '>=app-test/first-2', compile: 'echo the reason why; die' },
    )
    await site.run('repos/gentoo')
    const { result, error, archived, description, agents, number } = await site.run('machines/database')
    expect(result).to.equal('FAILURE')
    expect(error).to.contain('build: app-test/second-2 failed to build')
    expect(description).to.contain('PACKAGE_FAILED')
    expect(archived).to.deep.equal(['report/packages.xml'])
    expect(agents).to.deep.equal(['treeswap'])
    expect(site.published()).to.equal(1)
    const report = readFileSync(
      site.path('jenkins/treeswap/machines/database', String(number), 'report/packages.xml'),
      'utf8',
    )
    expect(report).to.contain('name="first-2"').and.to.contain('the reason why').and.to.contain('failures="1"')
  })

  it('publish nothing when they are aborted, end in the container within a second, and leave nothing behind', async () => {
    change({ cpv: 'app-test/second-2', depends: '>=app-test/first-2', compile: 'sleep 86401' })
    await site.run('repos/gentoo')
    const head = site.head()
    const { watch, asked, gone } = stopWhileRuns('sleep 86401')
    const { result, archived } = await site.run('machines/database', {}, watch)
    expect(result).to.equal('ABORTED')
    expect(Date.now() - (await asked)).to.be.lessThan(6000)
    expect((await gone) - (await asked)).to.be.lessThan(1000)
    expect(archived).to.deep.equal([])
    expect(processesOf(site.directory)).to.deep.equal([])
    expect(mountsOf(site.directory)).to.deep.equal([])
    expect(site.head()).to.equal(head)
    expect(site.published()).to.equal(1)
  })

  it('go on after that, pack only what is new, and publish', async () => {
    change({ cpv: 'app-test/second-2', depends: '>=app-test/first-2' })
    await site.run('repos/gentoo')
    const { result, console, number } = await site.run('machines/database')
    expect(result, console.join('\n')).to.equal('SUCCESS')
    const record = readFileSync(
      site.path('jenkins/treeswap/machines/database', String(number), 'artifact/build.json'),
      'utf8',
    )
    expect(JSON.parse(record)).to.include({ number, base: 1 })
    expect(site.published()).to.equal(number)
  })

  it('go back, and publish again, when an operator says so', async () => {
    const publish = (ACTION: string, REFERENCE: string) =>
      site.run('publish', { parameters: { TREE: 'database', REFERENCE, ACTION } })
    expect((await publish('rollback', '')).description).to.match(/^database@1 published as generation \d+$/)
    expect(site.published()).to.equal(1)
    expect((await publish('publish', '')).result).to.equal('SUCCESS')
    expect(site.published()).to.equal(4)
    expect((await publish('publish', '-1')).result).to.equal('SUCCESS')
    expect(site.published()).to.equal(1)
    const { result, error } = await publish('publish', '2')
    expect(result).to.equal('FAILURE')
    expect(error).to.contain('FAILURE')
  })

  it('stop at their time limit', async () => {
    change({ cpv: 'app-test/second-3', compile: 'sleep 86403' })
    await site.run('repos/gentoo')
    const { watch, asked, gone } = stopWhileRuns('sleep 86403', 10)
    const { result, error } = await site.run('machines/database', {}, watch)
    expect(result).to.equal('ABORTED')
    expect(error).to.contain('Timeout')
    expect((await gone) - (await asked)).to.be.lessThan(1000)
    expect(processesOf(site.directory)).to.deep.equal([])
    expect(mountsOf(site.directory)).to.deep.equal([])
  })

  it('say what is published', async () => {
    const script = "@Library('treeswap') _\ntreeswapReport config: [url: '" + site.path('git/site') + "']"
    const { description, archived } = await site.run('repos/gentoo', { script })
    expect(description).to.match(/^database@1 since /)
    expect(archived).to.deep.equal(['report/status.json'])
  })

  it('leave no credentials on the agents', () => {
    expect(filesWith(site.path('agents'), TOKEN)).to.deep.equal([])
  })
})

function filesWith(directory: string, text: string): string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => `${entry.parentPath}/${entry.name}`)
    .filter((path) => readFileSync(path, 'utf8').includes(text))
}
