import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import type { Request } from '../../src/chroot/remote-protocol.js'
import type { RunRequest, Session } from '../../src/chroot/requests.js'
import { needsRoot } from '../lab/needs-root.js'
import { type AgentLab, makeAgentLab, rawSession } from './agent-lab.js'
import { leftoversOf, nothingLeft } from './leftovers.js'
import { codeOf, makeContext, request, shell } from './lab.js'

describe('chroot: scratch sessions of an unprivileged agent', function () {
  this.timeout(60_000)
  let lab: AgentLab | undefined
  const all = (): AgentLab => lab!
  const scratch = <T>(use: (session: Session) => Promise<T>, context = makeContext()) =>
    all().service.scratch('allowed', context, use)
  const bind = (source: string): Partial<RunRequest> => ({ binds: [{ source, target: '/mnt', writable: true }] })

  before(needsRoot)
  before(async () => {
    lab = makeAgentLab()
    await lab.service.create({ name: 'allowed' }, makeContext())
  })
  after(() => lab?.remove())
  afterEach('nothing is left of them', async () => {
    const { uidBase } = (await all().service.list())[0]!
    const left = leftoversOf({ top: join(all().top, 'chroots/allowed'), name: 'allowed', uidBase })
    expect(left).to.deep.equal(nothingLeft)
  })

  it('run at the same time, each in a root program of its own, and see nothing of each other', async () => {
    const { builder, user } = all()
    const mine = user.makeDirectory(builder, 'mine')
    const theirs = user.makeDirectory(builder, 'theirs')
    await scratch((one) =>
      scratch(async (other) => {
        await shell(one, 'echo one > /file; echo one > /mnt/file', bind(mine))
        const [again, beside] = await Promise.all([
          shell(one, 'cat /file'),
          shell(other, 'ls /file; echo other > /mnt/file', bind(theirs)),
        ])
        expect(again.lines).to.deep.equal(['one'])
        expect(beside.lines[0]).to.include('No such file')
        expect(statSync(join(theirs, 'file')).uid).to.equal(other.uidBase)
        await one.reclaim(mine)
        expect(statSync(join(mine, 'file')).uid).to.equal(user.uid)
        expect(statSync(join(theirs, 'file')).uid).to.equal(other.uidBase)
        await other.reclaim(theirs)
      }),
    )
    expect(statSync(join(theirs, 'file')).uid).to.equal(user.uid)
    expect((await scratch((session) => shell(session, 'ls /file'))).code).not.to.equal(0)
  })

  it('cannot commit, and keep away who wants the root alone', async () => {
    const { service } = all()
    const exclusive = () => codeOf(service.session('allowed', makeContext(), () => Promise.resolve()))
    await scratch(async (session) => {
      expect(await codeOf(session.commit())).to.equal('COMMIT_REFUSED')
      expect(await exclusive()).to.equal('CHROOT_BUSY')
    })
    expect(await exclusive()).to.equal('no error')
    const refused = service.session('allowed', makeContext(), () => codeOf(scratch(() => Promise.resolve())))
    expect(await refused).to.equal('CHROOT_BUSY')
  })

  it('are allowed no more than other sessions', async () => {
    const { builder, configure, service } = all()
    const inScratch = (message: Request) => codeOf(rawSession(all(), (talk) => talk.ask(message), 'scratch'))
    const run = (more: Partial<RunRequest>) => inScratch({ type: 'run', request: request(['/bin/true'], more) })
    expect(await run({ network: true })).to.equal('NETWORK_REFUSED')
    expect(await run({ interactive: true })).to.equal('INTERACTIVE_REFUSED')
    expect(await run(bind('/etc'))).to.equal('BIND_REFUSED')
    expect(await inScratch({ type: 'reclaim', directory: builder })).to.equal('BIND_REFUSED')
    for (const name of ['other', '../allowed', '.locks']) {
      const use = service.scratch(name, makeContext(), () => Promise.resolve())
      expect(await codeOf(use), name).to.equal('CHROOT_REFUSED')
    }
    try {
      configure({ chroot: ', limits: { time: 1s, processes: 20 }' })
      const forks = 'i=0; while [ $i -lt 14 ]; do sleep 0.3 & i=$((i+1)); done; echo all'
      const both = await Promise.all([1, 2].map(() => scratch((session) => shell(session, forks))))
      expect(both.map(({ lines }) => lines)).to.deep.equal([['all'], ['all']])
      expect(await codeOf(scratch((session) => shell(session, 'sleep 1000')))).to.equal('LIMIT_TIME')
    } finally {
      configure()
    }
  })

  it('are as many at a time as the administrator allows, four where nothing is said', async () => {
    const { configure } = all()
    const nested = (depth: number): Promise<string> =>
      depth === 0 ? codeOf(scratch(() => Promise.resolve())) : scratch(() => nested(depth - 1))
    expect(await nested(3)).to.equal('no error')
    expect(await nested(4)).to.equal('CHROOT_BUSY')
    try {
      configure({ chroot: ', scratch: 1' })
      expect(await nested(1)).to.equal('CHROOT_BUSY')
    } finally {
      configure()
    }
  })

  it('end at once when they are stopped, the others go on', async () => {
    await scratch(async (other) => {
      const context = makeContext()
      const script = 'trap "" TERM; echo x; while :; do sleep 1; done'
      const stopped = scratch((one) => one.run(request(['/bin/sh', '-c', script]), context.abort), context)
      expect(await codeOf(stopped)).to.equal('ABORTED')
      expect((await shell(other, 'echo goes on')).lines).to.deep.equal(['goes on'])
    })
  })

  it('leave no setuid file to the agent, though one writes while another takes the directory back', async () => {
    const { builder, user } = all()
    const lent = user.makeDirectory(builder, 'contested')
    const context = makeContext()
    const script = `trap "" TERM; echo begun; i=0
      while :; do i=$((i+1)); touch /mnt/$i.a /mnt/$i.b /mnt/$i.c; chmod 6755 /mnt/*; done 2> /dev/null`
    let taken = 0
    const hostile = scratch(
      (one) =>
        scratch(async (other) => {
          let begun = (): void => undefined
          const ready = new Promise<void>((resolve) => (begun = resolve))
          const end = one.run(request(['/bin/sh', '-c', script], bind(lent)), () => begun())
          end.catch(begun)
          await ready
          for (let round = 0; round < 8; round++) {
            await shell(other, 'exit 0', bind(lent))
            await other.reclaim(lent)
            const found = (...which: string[]) =>
              execFileSync('find', [lent, '-type', 'f', ...which], { encoding: 'utf8' }).split('\n').length - 1
            expect(found('-uid', String(user.uid), '-perm', '/6000')).to.equal(0)
            taken = found('-uid', String(user.uid))
          }
          context.abort()
          await end
        }),
      context,
    )
    expect(await codeOf(hostile)).to.equal('ABORTED')
    expect(taken).to.be.greaterThan(100)
  })
})
