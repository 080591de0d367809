import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { expect } from 'chai'
import { needsRoot } from '../lab/needs-root.js'
import { pacmanBuilderRoot } from '../lab/pacman-root.js'
import { writeFiles } from '../lab/temporary.js'
import { AgentSite } from './agent-site.js'
import { recipe } from './arch-site.js'
import type { RepoRun } from './arch-site.js'

const settings = `pacman:
  own:
    chroot: own
    parallel: 2
    repositories: [{ url: PATH/git/recipes }]
`

describe('an agent that is not root, and a pacman repo', function () {
  this.timeout(600_000)
  before(needsRoot)
  let site: AgentSite

  before(async () => {
    const root = await pacmanBuilderRoot(() => undefined)
    site = await AgentSite.create({ root, chroot: 'own', settings })
  })
  after(() => site.remove())

  function change(recipes: Record<string, string>): void {
    const files = Object.entries(recipes).map(([name, text]) => [`${name}/PKGBUILD`, text])
    mkdirSync(site.path('git/recipes'), { recursive: true })
    writeFiles(site.path('git/recipes'), Object.fromEntries(files) as Record<string, string>)
    site.commit('recipes')
  }

  async function run(): Promise<RepoRun & { told: string }> {
    const result = await site.run(['run'])
    const [repo] = (result.document() as { pacman: RepoRun[] }).pacman
    return { ...repo!, told: result.told.join('\n') }
  }

  const outcomes = ({ recipes }: RepoRun) => recipes.map(({ base, status, version }) => [base, status, version])

  /** What is left below the builder's directory that its user could not remove; sources are kept with the root's users. */
  function foreign(): string[] {
    const args = [site.path('builder'), '-not', '-uid', String(site.user.uid)]
    const paths = execFileSync('find', args, { encoding: 'utf8' }).split('\n').filter(Boolean)
    return paths.filter((path) => !path.startsWith(site.path('builder/distfiles/')))
  }

  function expectClean(): void {
    expect(foreign()).to.deep.equal([])
    expect(readdirSync(site.path('builder/work/runs/own'))).to.deep.equal([])
  }

  it('builds and publishes it', async () => {
    const source = "source=('data::file:///etc/hostname')\nsha256sums=(SKIP)"
    change({ alpha: recipe('alpha', { lines: source }), beta: recipe('beta', { lines: 'depends=(alpha)' }) })
    const made = await run()
    expect(made, made.told).to.include({ status: 'built', number: 1, partial: false })
    expect(made).to.have.property('publication')
    expectClean()
  })

  it('publishes the rest where a recipe fails', async () => {
    const failing = 'build() { mkdir -m 0 closed; false; }'
    change({ alpha: recipe('alpha', { version: '2', lines: failing }), gamma: recipe('gamma') })
    const made = await run()
    expect(outcomes(made), made.told).to.have.deep.members([
      ['alpha', 'failed', undefined],
      ['beta', 'skipped', undefined],
      ['gamma', 'built', '1.0-1'],
    ])
    expectClean()
  })

  it('goes on after it was killed in the midst of a build', async () => {
    const lines = 'build() { mkdir -m 0 closed; sleep 1000; }'
    change({ alpha: recipe('alpha', { version: '3' }), slow: recipe('slow', { lines }) })
    let killed = false
    const running = site.run(['run'])
    await until(() => site.contained().some((command) => command.includes('sleep 1000')))
    expect(foreign(), 'what was lent').not.to.deep.equal([])
    for (const pid of site.runners()) killed = process.kill(pid, 'SIGKILL')
    await running
    expect(killed).to.equal(true)
    await until(() => site.running().length === 0 && site.mounts().length === 0)
    expect(foreign(), 'what nobody took back').not.to.deep.equal([])
    change({ slow: recipe('slow') })
    const made = await run()
    expect(outcomes(made), made.told).to.have.deep.members([
      ['alpha', 'built', '3-1'],
      ['beta', 'built', '1.0-1.1'],
      ['slow', 'built', '1.0-1'],
    ])
    expectClean()
  })

  it('sweeps the sources of a recipe that is gone, whoever has written them', async () => {
    const sources = () => readdirSync(site.path('builder/distfiles/own/own'))
    expect(sources()).to.have.members(['alpha', 'beta', 'gamma', 'slow'])
    for (const name of ['alpha', 'beta']) rmSync(site.path('git/recipes', name), { recursive: true })
    site.commit('recipes')
    const made = await run()
    expect(outcomes(made), made.told).to.deep.equal([
      ['alpha', 'removed', undefined],
      ['beta', 'removed', undefined],
    ])
    expect(sources()).to.have.members(['gamma', 'slow'])
    expectClean()
  })
})

async function until(done: () => boolean): Promise<void> {
  for (let tries = 0; !done(); tries++) {
    if (tries > 10_000) throw new Error('it never came')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
