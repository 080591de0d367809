import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { needsRoot } from '../lab/needs-root.js'
import { writeFiles } from '../lab/temporary.js'
import { AgentSite } from './agent-site.js'
import { ebuild, writeProfile, writeTinyRepo } from './tiny-repo.js'
import type { TinyPackage } from './tiny-repo.js'

interface Run {
  machines: {
    status: string
    number: number
    build?: { compiled: string[]; reused: string[] }
    error?: { code: string; message: string; hint: string }
  }[]
}

describe('an agent that is not root', function () {
  this.timeout(180_000)
  let site: AgentSite

  before(needsRoot)
  before(async () => {
    site = await AgentSite.create()
    writeTinyRepo(site.path('git/gentoo'), 'gentoo', [{ cpv: 'app-test/first-1' }, { cpv: 'app-test/second-1' }])
    writeProfile(site.path('git/profile'), ['app-test/first', 'app-test/second'])
    site.commit('gentoo')
    site.commit('profile')
  })
  after(() => site.remove())

  function change(...packages: TinyPackage[]): void {
    writeFiles(site.path('git/gentoo'), Object.fromEntries(packages.map(ebuild)))
    site.commit('gentoo')
  }

  /** What is left below the builder's directory that its user could not remove. */
  function foreign(): string[] {
    const args = [site.path('builder'), '-not', '-uid', String(site.user.uid)]
    const paths = execFileSync('find', args, { encoding: 'utf8' }).split('\n').filter(Boolean)
    return paths.filter((path) => !path.startsWith(site.path('builder/distfiles/')))
  }

  it('is told by doctor that it can build', async () => {
    const result = await site.run(['doctor', '--role', 'build'])
    expect(result.exitCode, result.stdout).to.equal(0)
    const { findings } = result.document() as { findings: { name: string; status: string; detail: string }[] }
    const root = findings.find(({ name }) => name === 'root')
    expect(root?.status).to.equal('ok')
    expect(root?.detail).to.include('database')
  })

  it('is told what root.yaml names, by `chroot create`, when it names a file that is not there', async () => {
    const result = await site.run(['chroot', 'create', 'database', '--from', '/nowhere/stage3.tar.xz'])
    const { error } = result.document() as { error: { code: string; message: string; hint: string } }
    expect(error.code).to.equal('ORIGIN_REFUSED')
    expect(error.message).to.contain('/nowhere/stage3.tar.xz').and.to.contain('root.yaml')
    expect(error.hint).to.match(/leave `from` out, or write \/./)
  })

  it('builds a machine, whose root is made from what the administrator says, and publishes it', async () => {
    const { machines } = await site.succeed<Run>('run')
    expect(machines[0]?.build?.compiled).to.have.members(['app-test/first-1', 'app-test/second-1'])
    expect(machines[0]).to.have.property('publication')
    expect(foreign()).to.deep.equal([])
    expect(readdirSync(site.path('builder/work/runs/database'))).to.deep.equal([])
    expect(readdirSync(site.path('builder/work/snapshots'))).to.deep.equal([])
    expect(statSync(join(site.top, 'chroots')).uid).to.equal(0)
  })

  it('keeps of a failed build what was finished, and leaves the root as it was', async () => {
    const head = site.head()
    change(
      { cpv: 'app-test/first-2' },
      { cpv: 'app-test/second-2', depends: '>=app-test/first-2', compile: 'mkdir -m 0 closed; echo why; die' },
    )
    const result = await site.run(['run'])
    expect(result.exitCode).to.equal(12)
    expect((result.document() as Run).machines[0]?.error?.code).to.equal('PACKAGE_FAILED')
    expect(site.head()).to.equal(head)
    expect(foreign()).to.deep.equal([])
    change({ cpv: 'app-test/second-2', depends: '>=app-test/first-2' })
    const { machines } = await site.succeed<Run>('run')
    expect(machines[0]?.build).to.deep.include({ compiled: ['app-test/second-2'], reused: ['app-test/first-2'] })
  })

  it('lists its roots, and cannot remove them', async () => {
    const { chroots } = await site.succeed<{ chroots: { name: string }[] }>('chroot', 'list')
    expect(chroots.map(({ name }) => name)).to.deep.equal(['database'])
    const result = await site.run(['chroot', 'remove', 'database'])
    expect(result.exitCode).to.equal(10)
  })

  for (const [signal, version] of [
    ['SIGTERM', 3],
    ['SIGKILL', 4],
  ] as const) {
    it(`is stopped by ${signal}: container dead within a second, nothing left after five, and goes on`, async () => {
      const head = site.head()
      change(
        { cpv: `app-test/first-${version}` },
        {
          cpv: `app-test/second-${version}`,
          depends: `>=app-test/first-${version}`,
          compile: 'trap "" TERM; sleep 1000',
        },
      )
      const times: Record<string, number> = {}
      let watching: Promise<void> | undefined
      const result = await site.run(['run'], {
        onLine: (line) => {
          if (watching !== undefined || !line.includes(`Emerging (2 of 2) app-test/second-${version}`)) return
          watching = (async () => {
            await until(() => site.contained().some((command) => command.includes('sleep 1000')))
            const started = Date.now()
            for (const pid of site.runners()) process.kill(pid, signal)
            await until(() => site.contained().length === 0)
            times.contained = Date.now() - started
            await until(() => site.running().length === 0 && site.mounts().length === 0)
            times.running = Date.now() - started
          })()
        },
      })
      await watching
      console.log(`      ${JSON.stringify(times)} ms`)
      expect(result.exitCode).to.equal(signal === 'SIGTERM' ? 143 : 1)
      expect(times.contained).to.be.below(1000)
      expect(times.running).to.be.below(5000)
      change({ cpv: `app-test/second-${version}`, depends: `>=app-test/first-${version}` })
      expect(site.head()).to.equal(head)
      const { machines } = await site.succeed<Run>('run')
      expect(machines[0]?.build).to.deep.include({
        compiled: [`app-test/second-${version}`],
        reused: [`app-test/first-${version}`],
      })
      expect(foreign()).to.deep.equal([])
      expect(readdirSync(site.path('builder/work/runs/database'))).to.deep.equal([])
    })
  }

  it('takes back what a snapshot had lent to its containers when it was killed', async () => {
    const [path, text] = ebuild({ cpv: 'app-test/first-5' })
    writeFiles(site.path('git/gentoo'), { [path]: `${text}while :; do :; done\n` })
    site.commit('gentoo')
    const running = site.run(['run'])
    await until(() => site.contained().some((command) => command.includes('egencache')) && foreign().length > 0)
    for (const pid of site.runners()) process.kill(pid, 'SIGKILL')
    await running
    await until(() => site.running().length === 0)
    expect(foreign()).not.to.deep.equal([])
    expect(readdirSync(site.path('builder/work/snapshots'))).to.have.length(1)
    change({ cpv: 'app-test/first-5' })
    await site.succeed('run')
    expect(foreign()).to.deep.equal([])
    expect(readdirSync(site.path('builder/work/caches/database'))).to.deep.equal([])
    expect(readdirSync(site.path('builder/work/snapshots'))).to.deep.equal([])
  })

  it('builds nothing that the administrator has not allowed, and says what is missing', async () => {
    const codes: Record<string, string | undefined> = {}
    const attempt = async (what: string): Promise<void> => {
      change({ cpv: 'app-test/first-6' })
      const result = await site.run(['run'])
      const doctor = await site.run(['doctor', '--role', 'build'])
      const { findings } = doctor.document() as { findings: { name: string; status: string; hint?: string }[] }
      const root = findings.find(({ name }) => name === 'root')
      expect(result.exitCode, result.told.join('\n')).to.equal(10)
      expect(doctor.exitCode).to.equal(11)
      expect(root?.hint, what).to.be.a('string')
      // the repo's snapshot, which comes first, needs a root for its metadata
      codes[what] = (result.document() as { repos: { error?: { code: string } }[] }).repos[0]?.error?.code
    }
    site.allow('other: {}')
    await attempt('root')
    site.user.configure('schema: 1\n')
    await attempt('configuration')
    site.allow()
    site.user.allow(`${site.user.program[0]} ""`)
    await attempt('rule')
    site.user.allow(site.user.program.join(' '))
    expect(codes).to.deep.equal({
      root: 'CHROOT_REFUSED',
      configuration: 'ROOT_CONFIG_INVALID',
      rule: 'ROOT_PROGRAM_REFUSED',
    })
  })
})

async function until(done: () => boolean): Promise<void> {
  for (let tries = 0; !done(); tries++) {
    if (tries > 2000) throw new Error('it never came')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
