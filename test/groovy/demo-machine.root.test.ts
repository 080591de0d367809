import { expect } from 'chai'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Machine } from '../demo/machine.js'
import { choosePorts, Publisher } from '../demo/publisher.js'
import { everything } from '../demo/rounds.js'
import { Stage } from '../demo/stage.js'
import { needsRoot } from '../lab/needs-root.js'
import { builderRoot } from '../lab/portage-root.js'
import { makeRepos } from '../lab/repos.js'
import { distfiles } from '../lab/sources.js'
import { JobsSite, TOKEN } from './jobs-site.js'

/** The demo's repositories, machine, servers and client; its commands are those of generated jobs. */
describe("the demo's machine, built and published by generated jobs under Jenkins' engine", function () {
  this.timeout(300_000)
  const tell = (): void => undefined
  const stop = new AbortController()
  let stopServers = (): Promise<void> => Promise.resolve()
  let said = ''
  const stage = new Stage((text) => (said += text))
  let site: JobsSite
  let publisher: Publisher
  let sources: string

  before(needsRoot)
  before(async () => {
    sources = await distfiles(tell)
    site = await JobsSite.create({ configuration: demoMachine })
  })
  after(async () => {
    stop.abort()
    await stopServers()
    await JobsSite.removeAll()
  })

  async function demoMachine({ directory }: JobsSite): Promise<object> {
    const ports = await choosePorts()
    publisher = new Publisher(directory, ports, stage, stop.signal)
    stopServers = () => publisher.stop()
    const repos = await makeRepos(join(directory, 'git'), sources, `http://127.0.0.1:${ports.mirror}`)
    const configuration = publisher.writeConfiguration(repos, await builderRoot(tell))
    await publisher.serve(sources)
    return configuration
  }

  it('archives the main ebuild repo, then the overlay that takes metadata from it', async () => {
    for (const name of ['gentoo', 'overlay']) {
      const { result, console, archived, checkouts, description } = await site.run(`repos/${name}`)
      expect(result, console.join('\n')).to.equal('SUCCESS')
      expect(archived).to.include('artifact/build.json')
      expect(checkouts.map(({ url, branch, poll }) => ({ url, branch, poll }))).to.deep.equal([
        { url: site.path('git/site'), branch: 'refs/heads/main', poll: false },
        { url: site.path('git', name), branch: 'refs/heads/main', poll: true },
      ])
      expect(description).to.match(/^[0-9a-f]{12}, /)
    }
  })

  it('builds the whole world from source, and publishes the running build', async () => {
    const { result, console, archived, checkouts, agents, description } = await site.run('machines/database')
    expect(result, console.join('\n')).to.equal('SUCCESS')
    expect(archived).to.include.members(['artifact/build.json', 'report/packages.xml'])
    expect(checkouts.filter(({ poll }) => poll).map(({ url, regions }) => ({ url, regions }))).to.deep.equal([
      { url: site.path('git/profile'), regions: '\\Qdatabase\\E/.*' },
    ])
    expect(agents).to.deep.equal(['treeswap', 'publisher'])
    expect(description).to.contain('published as generation 1')
    expect(site.published()).to.equal(1)
    expect(console.join('\n')).not.to.contain(TOKEN)
    const report = readFileSync(join(site.archived('machines/database', 1), 'report/packages.xml'), 'utf8')
    for (const name of everything) expect(report).to.contain(`name="${name.split('/')[1]}"`)
  })

  it('reaches a client without a compiler by the commands of `config portage`, and runs there', async () => {
    const client = await Machine.create(site.path('client'), publisher, stage, stop.signal)
    expect(client.hasCompiler()).to.equal(false)
    const { fromBinary, compiled } = await client.follow()
    expect(fromBinary, said).to.have.members(everything)
    expect(compiled).to.deep.equal([])
    expect(await client.expectProgram('1.0')).to.equal('wordindex 1.0: STRASSE = street')
    expect(client.expectServedTrees()).to.be.greaterThan(20)
    client.expectOwnConfiguration()
  })
})
