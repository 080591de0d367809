import { expect } from 'chai'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { RootService } from '../../src/chroot/requests.js'
import { needsRoot } from '../lab/needs-root.js'
import { type AgentLab, makeAgentLab } from './agent-lab.js'
import { codeOf, type Lab, makeContext, makeLab, shell } from './lab.js'
import { type Leftovers, leftoversOf, nothingLeft } from './leftovers.js'

interface Site {
  service: RootService
  chroots: string
  name: string
  /** how a runner of its own gets at the root */
  where: object
  remove(): void
}

/** One process that runs a script in a scratch session, again and again. */
class Runner {
  private readonly process: ChildProcess
  private readonly lines: AsyncIterator<string, undefined>
  private readonly reader: Interface

  constructor({ where, name }: Site, script: string) {
    const runner = fileURLToPath(new URL('scratch-runner.ts', import.meta.url))
    this.process = spawn(
      process.execPath,
      ['--no-warnings', '--loader', 'ts-node/esm', runner, JSON.stringify(where), name, script],
      { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, TS_NODE_TRANSPILE_ONLY: '1' } },
    )
    this.reader = createInterface({ input: this.process.stdout! })
    this.lines = this.reader[Symbol.asyncIterator]()
  }

  /** Resolves when it has written `wanted` from now on. */
  async hear(wanted: string): Promise<void> {
    for (;;) {
      const next = await this.lines.next()
      if (next.done === true) throw new Error(`the runner ended before it said ${wanted}`)
      if (next.value === wanted) return
    }
  }

  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return
    const ended = once(this.process, 'exit')
    this.process.kill('SIGKILL')
    await ended
    this.reader.close()
  }
}

function hostSite(): Site {
  const lab: Lab = makeLab()
  const name = `dying-${randomInt(1_000_000)}`
  return { ...lab, name, where: { chroots: lab.chroots } }
}

function agentSite(): Site {
  const lab: AgentLab = makeAgentLab()
  const { user, top, service } = lab
  const where = { program: user.program, through: user.sudo }
  return { service, chroots: join(top, 'chroots'), name: 'allowed', where, remove: () => lab.remove() }
}

for (const [who, makeSite] of [
  ['root', hostSite],
  ['an agent, by the root program', agentSite],
] as const) {
  describe(`chroot: kill -9 of one of two runners with scratch sessions, of ${who}`, function () {
    this.timeout(300_000)
    let site: Site | undefined
    const all = (): Site => site!
    const runners: Runner[] = []
    const start = (script: string): Runner => {
      const runner = new Runner(all(), script)
      runners.push(runner)
      return runner
    }

    before(needsRoot)
    before(async () => {
      site = makeSite()
      const from = who === 'root' ? { from: { directory: join(site.chroots, '../source') } } : {}
      await site.service.create({ name: site.name, ...from }, makeContext())
    })
    after(async () => {
      for (const runner of runners) await runner.kill()
      // the program of an agent's runner needs a moment to see that it is gone
      if (site !== undefined)
        await whenFree(() => all().service.session(all().name, makeContext(), () => Promise.resolve()))
      site?.remove()
    })

    async function leftovers(): Promise<Leftovers> {
      const { uidBase } = (await all().service.list())[0]!
      return leftoversOf({ top: join(all().chroots, all().name), name: all().name, uidBase })
    }

    async function whenFree<T>(action: () => Promise<T>): Promise<T> {
      for (;;) {
        try {
          return await action()
        } catch (error) {
          // the lock's holder needs a moment to notice
          if (!(error instanceof Error) || !('code' in error) || error.code !== 'CHROOT_BUSY') throw error
          await new Promise((resolve) => setTimeout(resolve, 50))
        }
      }
    }

    /** Uses scratch sessions until nobody but those who live has anything. */
    async function whenCleared(isClear: (left: Leftovers) => boolean): Promise<Leftovers> {
      for (let attempt = 1; ; attempt++) {
        await all().service.scratch(all().name, makeContext(), () => Promise.resolve())
        const left = await leftovers()
        if (isClear(left) || attempt === 20) return left
        // the dead one's lock is freed a moment after its death
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }

    it('leaves the other one alone, and nothing of the dead one after the next use', async () => {
      const { service, name, chroots } = all()
      const waiting = (mark: string) =>
        `echo x > /${mark}; trap "" TERM; echo ${mark}; sleep 1000.${mark.length} & while :; do sleep 1; done`
      const dead = start(waiting('dead'))
      await dead.hear('dead')
      const living = start('echo round >> /rounds; [ -e /dead ] || echo alone; sleep 0.1')
      await living.hear('alone')
      const both = await leftovers()
      expect(both.processes).to.include('sleep 1000.4')
      expect(existsSync(join(chroots, name, 'scratch/1/upper/dead'))).to.equal(true)

      await dead.kill()
      await living.hear('alone')
      const left = await whenCleared(({ files }) => !files.some((path) => path.includes('/scratch/1')))
      expect(left.processes).not.to.include('sleep 1000.4')
      expect(left.files.filter((path) => path.includes('/scratch/1'))).to.deep.equal([])
      expect(existsSync(join(chroots, name, 'scratch/2/upper/rounds'))).to.equal(true)
      expect(left.groups.length).to.be.at.most(both.groups.length / 2)
      await living.hear('ended 0')
      await living.hear('ended 0')
      expect(await codeOf(service.session(name, makeContext(), () => Promise.resolve()))).to.equal('CHROOT_BUSY')

      // two dead ones: the next takes the place of one, and removes what the other left
      const third = start(waiting('third'))
      await third.hear('third')
      await living.kill()
      await third.kill()
      expect(await whenCleared((rest) => rest.files.length === 0)).to.deep.equal(nothingLeft)
      expect((await service.scratch(name, makeContext(), (session) => shell(session, 'ls -d /dead /rounds'))).lines)
        .to.have.length(2)
        .and.satisfy((lines: string[]) => lines.every((line) => line.includes('No such file')))
    })

    it('leaves nothing after the next use of somebody who has the root alone', async () => {
      const { service, name } = all()
      const script = 'echo x > /dead; trap "" TERM; echo begun; while :; do sleep 1; done'
      const both = [start(script), start(script)]
      for (const runner of both) await runner.hear('begun')
      expect((await leftovers()).files).not.to.deep.equal([])
      for (const runner of both) await runner.kill()
      await whenFree(() =>
        service.session(name, makeContext(), async () => expect(await leftovers()).to.deep.equal(nothingLeft)),
      )
    })
  })
}
