import { expect } from 'chai'
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { needsRoot } from '../lab/needs-root.js'
import { type Lab, makeContext, makeLab, shell } from './lab.js'

describe('chroot: kill -9 of the runner', () => {
  let lab: Lab
  before(needsRoot)
  before(async () => {
    lab = makeLab()
    await lab.service.create({ name: 'killed', from: { directory: lab.source } }, makeContext())
  })
  after(() => lab.remove())

  function startRunner(...args: string[]): ChildProcess {
    const runner = fileURLToPath(new URL('session-runner.ts', import.meta.url))
    return spawn(
      process.execPath,
      ['--no-warnings', '--loader', 'ts-node/esm', runner, lab.chroots, 'killed', ...args],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TS_NODE_TRANSPILE_ONLY: '1' } },
    )
  }

  /** Resolves when the runner has written `text` `times` times. */
  async function hear(runner: ChildProcess, text: string, times = 1): Promise<void> {
    let heard = ''
    for await (const chunk of runner.stdout!) {
      heard += String(chunk)
      if (heard.split(text).length > times) return
    }
    throw new Error(`the runner ended: ${heard}`)
  }

  async function kill(runner: ChildProcess): Promise<void> {
    const ended = once(runner, 'exit')
    runner.kill('SIGKILL')
    await ended
  }

  /** Waits, as the next session does, until the kernel has ended what the runner's death takes with it. */
  async function expectClean(): Promise<void> {
    await lab.service.session('killed', makeContext(), async (session) => {
      const { uidBase } = session
      const uids = execFileSync('ps', ['-eo', 'uid'], { encoding: 'utf8' }).split('\n').map(Number)
      expect(uids.filter((uid) => uid >= uidBase && uid < uidBase + 65_536)).to.deep.equal([])
      const mounts = readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .filter((pid) => mountsOf(pid).includes('upperdir=run/upper'))
        .filter((pid) => cwdIsIn(pid, lab.top))
      expect(mounts).to.deep.equal([])
      expect((await shell(session, 'cat /dirty')).lines).to.deep.equal(['cat: /dirty: No such file or directory'])
      expect((await shell(session, 'id -u')).lines).to.deep.equal(['0'])
    })
    const groups = execFileSync('find', ['/sys/fs/cgroup', '-name', 'treeswap-killed-*'], { encoding: 'utf8' })
    expect(groups).to.equal('')
    expect(existsSync(join(lab.chroots, 'killed/run/upper'))).to.be.false
  }

  async function whenFree(): Promise<void> {
    for (;;) {
      try {
        await expectClean()
        return
      } catch (error) {
        // the lock's holder needs a moment to notice
        if (!(error instanceof Error) || !('code' in error) || error.code !== 'CHROOT_BUSY') throw error
      }
    }
  }

  it('takes a running container and its mounts with it, and leaves the root as it was', async () => {
    const runner = startRunner('echo x > /dirty; trap "" TERM; echo started; sleep 1000 & while :; do sleep 1; done')
    await hear(runner, 'started')
    await kill(runner)
    await whenFree()
  })

  it('leaves a root that works at whatever moment it comes', async function () {
    this.timeout(60_000)
    for (const commits of [2, 9]) {
      const runner = startRunner('echo y >> /count', 'commit')
      await hear(runner, 'committed', commits)
      await kill(runner)
      await whenFree()
      const { layers } = (await lab.service.list())[0]!
      expect(layers.length).to.be.at.most(8)
      expect(readdirSync(join(lab.chroots, 'killed/layers')).map(Number)).to.have.members(layers)
    }
    await lab.service.session('killed', makeContext(), async (session) => {
      expect((await shell(session, 'cat /count')).lines.length).to.be.at.least(2 + 9)
    })
  })
})

function mountsOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/mountinfo`, 'utf8')
  } catch {
    return ''
  }
}

function cwdIsIn(pid: string, directory: string): boolean {
  try {
    return execFileSync('readlink', [`/proc/${pid}/cwd`], { encoding: 'utf8' }).startsWith(directory)
  } catch {
    return false
  }
}
