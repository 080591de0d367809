import { expect } from 'chai'
import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { randomInt } from 'node:crypto'
import { join } from 'node:path'
import { ebuild, writeProfile, writeTinyRepo } from '../e2e/tiny-repo.js'
import { AgentUser } from '../lab/agent-user.js'
import { commitAll } from '../lab/commit-all.js'
import { needsRoot } from '../lab/needs-root.js'
import { builderRoot } from '../lab/portage-root.js'
import { writeFiles } from '../lab/temporary.js'
import { stopWhileRuns, JobsSite, mountsOf, processesOf } from './jobs-site.js'

/** Has no name, no home and no rights. */
const publisher = 61_234

describe('the generated jobs on agents that are not root', function () {
  this.timeout(300_000)
  let user: AgentUser | undefined
  let roots = ''
  let site: JobsSite

  before(needsRoot)
  before(async () => {
    const agent = new AgentUser()
    user = agent
    roots = mkdtempSync('/var/lib/treeswap-roots-')
    mkdirSync(join(roots, 'chroots'))
    const next = 524_288 + 65_536 * randomInt(1000, 20_000)
    writeFileSync(join(roots, 'chroots/.uid-ranges.json'), JSON.stringify({ next }))
    const agents = { treeswap: agent.uid, publisher, rootProgram: agent.program }
    site = await JobsSite.create({ agents, directory: '/var/lib' })
    agent.makeDirectory(site.path('builder'))
    mkdirSync(site.path('srv'))
    chownSync(site.path('srv'), publisher, publisher)
    agent.configure(`schema: 1
user: ${agent.name}
directory: ${roots}/chroots
binds: [${site.path('builder')}]
chroots:
  database: { from: ${await builderRoot(() => undefined)}, network: true }
`)
    writeTinyRepo(site.path('git/gentoo'), 'gentoo', [{ cpv: 'app-test/first-1' }])
    commitAll(site.path('git/gentoo'))
    writeProfile(site.path('git/machines/database'), ['app-test/first'])
    commitAll(site.path('git/machines'))
  })
  after(async () => {
    await JobsSite.removeAll()
    user?.remove()
    if (roots !== '') rmSync(roots, { recursive: true })
  })

  it('build with the root program, and publish as a third user', async () => {
    const repo = await site.run('repos/gentoo')
    expect(repo.result, repo.console.join('\n')).to.equal('SUCCESS')
    const { result, console } = await site.run('machines/database')
    expect(result, console.join('\n')).to.equal('SUCCESS')
    expect(site.published()).to.equal(1)
    expect(statSync(site.path('srv/published/database/')).uid).to.equal(publisher)
    expect(statSync(site.path('builder/packages/database')).uid).to.equal(user?.uid)
  })

  it('end within a second in the container, with all else in the time that Jenkins grants, though it runs as root', async () => {
    writeFiles(
      site.path('git/gentoo'),
      Object.fromEntries([ebuild({ cpv: 'app-test/first-2', compile: 'sleep 86402' })]),
    )
    commitAll(site.path('git/gentoo'))
    await site.run('repos/gentoo')
    const { watch, asked, gone } = stopWhileRuns('sleep 86402')
    const { result, console } = await site.run('machines/database', {}, watch)
    expect(result).to.equal('ABORTED')
    expect(Date.now() - (await asked)).to.be.lessThan(6000)
    expect((await gone) - (await asked)).to.be.lessThan(1000)
    expect(console).not.to.include('After 5s process did not stop')
    for (const place of [site.directory, roots, user?.name ?? '']) {
      expect(processesOf(place)).to.deep.equal([])
      expect(mountsOf(place)).to.deep.equal([])
    }
    expect(site.published()).to.equal(1)
  })
})
