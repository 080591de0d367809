import { expect } from 'chai'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { commitAll } from '../lab/commit-all.js'
import { needsRoot } from '../lab/needs-root.js'
import { writeFiles } from '../lab/temporary.js'
import { ebuild, writeProfile, writeTinyRepo } from '../e2e/tiny-repo.js'
import type { TinyPackage } from '../e2e/tiny-repo.js'
import { JobsSite, mountsOf, processesOf, TOKEN } from './jobs-site.js'

describe("the generated jobs under Jenkins' engine", function () {
  this.timeout(300_000)
  let site: JobsSite

  before(needsRoot)
  before(async () => {
    site = await JobsSite.create()
    writeTinyRepo(site.path('git/gentoo'), 'gentoo', [{ cpv: 'app-test/first-1' }, { cpv: 'app-test/second-1' }])
    commitAll(site.path('git/gentoo'))
    writeProfile(site.path('git/machines/database'), ['app-test/first', 'app-test/second'])
    commitAll(site.path('git/machines'))
  })
  after(() => JobsSite.removeAll())

  function change(...packages: TinyPackage[]): void {
    writeFiles(site.path('git/gentoo'), Object.fromEntries(packages.map(ebuild)))
    commitAll(site.path('git/gentoo'))
  }

  it('archive an ebuild repo, whose repository is polled', async () => {
    const { result, console, archived, checkouts, description } = await site.run('repos/gentoo')
    expect(result, console.join('\n')).to.equal('SUCCESS')
    expect(archived).to.include('artifact/build.json')
    expect(checkouts.map(({ url, branch, poll }) => ({ url, branch, poll }))).to.deep.equal([
      { url: site.path('git/site'), branch: 'refs/heads/main', poll: false },
      { url: site.path('git/gentoo'), branch: 'refs/heads/main', poll: true },
    ])
    expect(description).to.match(/^[0-9a-f]{12}, /)
  })

  it('build a machine and publish the running build', async () => {
    const { result, console, archived, checkouts, agents, description } = await site.run('machines/database')
    expect(result, console.join('\n')).to.equal('SUCCESS')
    expect(archived).to.include.members(['artifact/build.json', 'report/packages.xml'])
    expect(checkouts.filter(({ poll }) => poll).map(({ url, regions }) => ({ url, regions }))).to.deep.equal([
      { url: site.path('git/machines'), regions: '\\Qdatabase\\E/.*' },
    ])
    expect(agents).to.deep.equal(['treeswap', 'publisher'])
    expect(site.published()).to.equal(1)
    expect(description).to.contain('published')
    expect(console.join('\n')).not.to.contain(TOKEN)
  })

  it('show no credentials to what they build', async () => {
    change({
      cpv: 'app-test/first-2',
      compile: 'env | sort; env | grep -i -e TREESWAP_JENKINS -e SSH_KEY && die; true',
    })
    await site.run('repos/gentoo')
    const { result, console } = await site.run('machines/database')
    expect(result, console.join('\n')).to.equal('SUCCESS')
    expect(site.published()).to.equal(2)
  })

  it('fail with the category, and report the package with the end of its log; the last build stays published', async () => {
    change(
      { cpv: 'app-test/first-3' },
      { cpv: 'app-test/second-3', depends: '>=app-test/first-3', compile: 'echo the reason why; die' },
    )
    await site.run('repos/gentoo')
    const { result, error, archived, description, agents, number } = await site.run('machines/database')
    expect(result).to.equal('FAILURE')
    expect(error).to.contain('build: app-test/second-3 failed to build')
    expect(description).to.contain('PACKAGE_FAILED')
    expect(archived).to.deep.equal(['report/packages.xml'])
    expect(agents).to.deep.equal(['treeswap'])
    expect(site.published()).to.equal(2)
    const report = readFileSync(
      site.path('jenkins/treeswap/machines/database', String(number), 'report/packages.xml'),
      'utf8',
    )
    expect(report).to.contain('name="first-3"').and.to.contain('the reason why').and.to.contain('failures="1"')
  })

  it('publish nothing when they are aborted, and leave nothing behind', async () => {
    change({ cpv: 'app-test/second-3', depends: '>=app-test/first-3', compile: 'sleep 1000' })
    await site.run('repos/gentoo')
    const head = site.head()
    let asked = 0
    const { result, archived } = await site.run(
      'machines/database',
      {},
      {
        onLine: (line, abort) => {
          if (!/>>> Emerging \(\d of \d\) app-test\/second-3/.test(line)) return
          asked = Date.now()
          abort()
        },
      },
    )
    expect(result).to.equal('ABORTED')
    expect(Date.now() - asked).to.be.lessThan(6000)
    expect(archived).to.deep.equal([])
    expect(processesOf(site.directory)).to.deep.equal([])
    expect(mountsOf(site.directory)).to.deep.equal([])
    expect(site.head()).to.equal(head)
    expect(site.published()).to.equal(2)
  })

  it('go on after that, pack only what is new, and publish', async () => {
    change({ cpv: 'app-test/second-3', depends: '>=app-test/first-3' })
    await site.run('repos/gentoo')
    const { result, console, number } = await site.run('machines/database')
    expect(result, console.join('\n')).to.equal('SUCCESS')
    const record = readFileSync(
      site.path('jenkins/treeswap/machines/database', String(number), 'artifact/build.json'),
      'utf8',
    )
    expect(JSON.parse(record)).to.include({ number, base: 2 })
    expect(site.published()).to.equal(number)
  })

  it('go back, and publish again, when an operator says so', async () => {
    const publish = (ACTION: string, REFERENCE: string) =>
      site.run('publish', { parameters: { TREE: 'database', REFERENCE, ACTION } })
    expect((await publish('rollback', '')).description).to.match(/^database@2 published as generation \d+$/)
    expect(site.published()).to.equal(2)
    expect((await publish('publish', '')).result).to.equal('SUCCESS')
    expect(site.published()).to.equal(5)
    expect((await publish('publish', '-1')).result).to.equal('SUCCESS')
    expect(site.published()).to.equal(2)
    const { result, error } = await publish('publish', '3')
    expect(result).to.equal('FAILURE')
    expect(error).to.contain('FAILURE')
  })

  it('stop at their time limit', async () => {
    change({ cpv: 'app-test/second-4', compile: 'sleep 1000' })
    await site.run('repos/gentoo')
    const script = site.script('machines/database').replace('timeout: 10', 'timeout: 1')
    const { result } = await site.run('machines/database', { script })
    expect(result).to.equal('ABORTED')
    expect(processesOf(site.directory)).to.deep.equal([])
    expect(mountsOf(site.directory)).to.deep.equal([])
  })

  it('say what is published', async () => {
    const script = "@Library('treeswap') _\ntreeswapReport config: [url: '" + site.path('git/site') + "']"
    const { description, archived } = await site.run('repos/gentoo', { script })
    expect(description).to.match(/^database@2 since /)
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
