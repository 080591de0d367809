import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { needsRoot } from '../lab/needs-root.js'
import { runTreeswap } from '../lab/run-treeswap.js'
import { writeFiles } from '../lab/temporary.js'
import { Site } from './site.js'
import { ebuild, writeProfile, writeTinyRepo } from './tiny-repo.js'
import type { TinyPackage } from './tiny-repo.js'

interface Run {
  machines: {
    status: string
    number: number
    build?: { compiled: string[]; reused: string[] }
    error?: { code: string; message: string }
  }[]
}

describe('a machine build that goes wrong', function () {
  this.timeout(180_000)
  let site: Site

  before(needsRoot)
  before(async () => {
    site = await Site.create()
    writeTinyRepo(site.path('git/gentoo'), 'gentoo', [{ cpv: 'app-test/first-1' }])
    writeProfile(site.path('git/profile'), ['app-test/first', 'app-test/second', 'app-test/third'])
  })
  after(() => {
    Site.removeAll()
  })

  function change(...packages: TinyPackage[]): void {
    writeFiles(site.path('git/gentoo'), Object.fromEntries(packages.map(ebuild)))
    site.commit('gentoo')
  }

  it('builds the machine to begin with', async () => {
    change({ cpv: 'app-test/second-1' }, { cpv: 'app-test/third-1' })
    site.commit('profile')
    const { machines } = await site.succeed<Run>('run')
    expect(machines[0]?.build?.compiled).to.have.members(['app-test/first-1', 'app-test/second-1', 'app-test/third-1'])
    expect(site.artifacts()).to.deep.equal(['1'])
  })

  it('publishes nothing and leaves the root as it was, and names the package with the end of its log', async () => {
    const head = site.head()
    change(
      { cpv: 'app-test/first-2' },
      { cpv: 'app-test/second-2', depends: '>=app-test/first-2', compile: 'echo the reason why; die' },
    )
    const result = await site.run('run')
    expect(result.exitCode).to.equal(12)
    const [machine] = (result.document() as Run).machines
    expect(machine?.error?.code).to.equal('PACKAGE_FAILED')
    expect(machine?.error?.message).to.contain('app-test/second-2')
    expect(result.told.join('\n')).to.contain('the reason why')
    expect(site.head()).to.equal(head)
    expect(site.artifacts()).to.deep.equal(['1'])
    const { trees } = await site.succeed<{ trees: { published: { build: number } }[] }>('status')
    expect(trees.map(({ published }) => published.build)).to.deep.equal([1])
  })

  it('compiles in the next run only what had not been finished', async () => {
    change({ cpv: 'app-test/second-2', depends: '>=app-test/first-2' })
    const { machines } = await site.succeed<Run>('run')
    expect(machines[0]?.build).to.deep.include({ compiled: ['app-test/second-2'], reused: ['app-test/first-2'] })
  })

  it('compiles what was finished again when it would come out differently', async () => {
    change({ cpv: 'app-test/first-3' }, { cpv: 'app-test/second-3', depends: '>=app-test/first-3', compile: 'die' })
    expect((await site.run('run')).exitCode).to.equal(12)
    change(
      { cpv: 'app-test/first-3', install: 'echo edited > edited; doins edited' },
      { cpv: 'app-test/second-3', depends: '>=app-test/first-3' },
    )
    const { machines } = await site.succeed<Run>('run')
    expect(machines[0]?.build?.compiled).to.have.members(['app-test/first-3', 'app-test/second-3'])
  })

  it('says which sources could not be fetched, and that trying again may help', async () => {
    const digests = `BLAKE2B ${'0'.repeat(128)} SHA512 ${'0'.repeat(128)}`
    writeFiles(site.path('git/gentoo/app-test/first'), { Manifest: `DIST first-4.tar.gz 1 ${digests}\n` })
    change({ cpv: 'app-test/first-4', source: 'http://127.0.0.1:1/first-4.tar.gz' })
    const result = await site.run('run')
    expect(result.exitCode).to.equal(11)
    const [machine] = (result.document() as Run).machines
    expect(machine?.error?.code).to.equal('FETCH_FAILED')
    expect(machine?.error?.message).to.contain('app-test/first-4').and.to.contain('first-4.tar.gz')
  })

  it('fails where the world asks for what there is not', async () => {
    change({ cpv: 'app-test/first-4' })
    writeFiles(site.path('git/profile'), { world: 'app-test/first\napp-test/secnod\n' })
    site.commit('profile')
    const result = await site.run('run')
    const [machine] = (result.document() as Run).machines
    expect(machine?.error?.code).to.equal('WORLD_UNSATISFIED')
    expect(machine?.error?.message).to.contain('app-test/secnod')
    writeFiles(site.path('git/profile'), { world: 'app-test/first\napp-test/second\napp-test/third\n' })
    site.commit('profile')
  })

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`leaves no process and no mount after ${signal}, and goes on where it was`, async () => {
      const version = signal === 'SIGTERM' ? 5 : 6
      const head = site.head()
      change(
        { cpv: `app-test/first-${version}` },
        { cpv: `app-test/second-${version}`, depends: `>=app-test/first-${version}`, compile: 'sleep 1000' },
      )
      const exitCode = await interrupt(`Emerging (2 of 2) app-test/second-${version}`, signal)
      expect(exitCode).to.equal(signal === 'SIGTERM' ? 143 : 1)
      expect(site.processes()).to.deep.equal([])
      expect(site.mounts()).to.deep.equal([])
      change({ cpv: `app-test/second-${version}`, depends: `>=app-test/first-${version}` })
      expect(site.head()).to.equal(head)
      const { machines } = await site.succeed<Run>('run')
      expect(machines[0]?.build).to.deep.include({
        compiled: [`app-test/second-${version}`],
        reused: [`app-test/first-${version}`],
      })
    })
  }

  it('loses nothing when it is killed after the artifact was written and before the root was committed', async () => {
    const head = site.head()
    const before = site.artifacts().length
    change({ cpv: 'app-test/first-7' }, { cpv: 'app-test/second-7', depends: '>=app-test/first-7' })
    const killed = await site.start(['run'], { under: killedAtRename(site.path('builder/packages/database')) })
    expect(killed.exitCode).not.to.equal(0)
    expect(site.artifacts()).to.have.length(before + 1)
    expect(site.head()).to.equal(head)

    const published = await site.succeed<Run>('run')
    expect(published.machines[0]).to.deep.include({ status: 'published', number: before + 1 })

    change({ cpv: 'app-test/third-7' })
    const { machines } = await site.succeed<Run>('run')
    expect(machines[0]?.build?.compiled).to.deep.equal(['app-test/third-7'])
    expect(machines[0]?.build?.reused).to.have.members(['app-test/first-7', 'app-test/second-7'])
    expect(site.head()).not.to.equal(head)
  })

  /** strace kills the runner at its first attempt to move something to or from `path`. */
  function killedAtRename(path: string): string[] {
    return ['strace', '-qq', '-o', '/dev/null', '-P', path, '-e', 'trace=rename', '-e', 'inject=rename:signal=KILL']
  }

  /** Runs `treeswap run` and signals it as soon as it says `line`. */
  async function interrupt(line: string, signal: NodeJS.Signals): Promise<number> {
    const args = ['run', '--config', site.path('treeswap.yaml')]
    const result = await runTreeswap(args, {
      onLine: (text) => {
        if (!text.includes(line)) return
        for (const pid of pidsOf(`${args.join('\0')}\0`)) process.kill(pid, signal)
      },
    })
    // what the kernel still has to do after a kill is done within moments
    for (let tries = 0; tries < 50 && site.processes().length > 0; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    return result.exitCode
  }
})

function pidsOf(commandLine: string): number[] {
  return execFileSync('ls', ['/proc'], { encoding: 'utf8' })
    .split('\n')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').endsWith(commandLine)
      } catch {
        return false
      }
    })
    .map(Number)
}
