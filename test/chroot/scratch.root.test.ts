import { expect } from 'chai'
import { randomInt } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { RunRequest, Session } from '../../src/chroot/requests.js'
import { openRootService } from '../../src/chroot/root-service.js'
import { needsRoot } from '../lab/needs-root.js'
import { codeOf, type Lab, makeContext, makeLab, request, shell } from './lab.js'
import { leftoversOf, nothingLeft } from './leftovers.js'

describe('chroot: scratch sessions', function () {
  this.timeout(60_000)
  let lab: Lab
  // other tests may be running on this host
  const name = `pristine-${randomInt(1_000_000)}`
  before(needsRoot)
  before(async () => {
    lab = makeLab()
    await lab.service.create({ name, from: { directory: lab.source } }, makeContext())
  })
  after(() => lab.remove())
  afterEach('nothing is left of them', async () => {
    const [root] = await lab.service.list()
    expect(leftoversOf({ ...root!, top: join(lab.chroots, root!.name) })).to.deep.equal(nothingLeft)
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.to.include(lab.top)
    expect(root!.layers).to.have.length(1)
  })

  const scratch = <T>(use: (session: Session) => Promise<T>, context = makeContext(), service = lab.service) =>
    service.scratch(name, context, use)
  const exclusive = <T>(use: (session: Session) => Promise<T>) => lab.service.session(name, makeContext(), use)

  /** Uses two sessions at once. */
  const two = <T>(use: (one: Session, other: Session) => Promise<T>) =>
    scratch((one) => scratch((other) => use(one, other)))

  /** Starts a script that says `text` and then waits; resolves when it has said it. */
  function begin(session: Session, script: string, more: Partial<RunRequest> = {}) {
    let began = (): void => undefined
    const ready = new Promise<void>((resolve) => (began = resolve))
    const end = session.run(request(['/bin/sh', '-c', `${script}; echo ready; while :; do sleep 1; done`], more), began)
    end.catch(began)
    return { ready, end }
  }

  it('run at the same time over one root, and see nothing of each other, nor of earlier ones', async () => {
    await two(async (one, other) => {
      await shell(one, 'echo one > /mine; rm -r /etc/portage')
      const [again, beside] = await Promise.all([
        shell(one, 'cat /mine; ls /etc'),
        shell(other, 'cat /mine; ls /etc; echo other > /mine; cat /mine'),
      ])
      expect(again.lines).to.deep.equal(['one', 'group', 'passwd'])
      expect(beside.lines).to.deep.equal([
        'cat: /mine: No such file or directory',
        'group',
        'passwd',
        'portage',
        'other',
      ])
    })
    const { lines } = await scratch((session) => shell(session, 'ls /mine'))
    expect(lines[0]).to.include('No such file')
  })

  it('keep what earlier runs of the same session did', async () => {
    const { lines } = await scratch(async (session) => {
      await shell(session, 'echo kept > /file')
      return shell(session, 'cat /file')
    })
    expect(lines).to.deep.equal(['kept'])
  })

  it('never become part of the root', async () => {
    const code = await scratch(async (session) => {
      await shell(session, 'echo x > /file')
      return codeOf(session.commit())
    })
    expect(code).to.equal('COMMIT_REFUSED')
  })

  it('are undone when their user fails, also while something runs in them', async () => {
    const failed = scratch(async (session) => {
      await begin(session, 'echo x > /file').ready
      throw new RangeError('as a failing build')
    })
    expect(await failed.catch((error: unknown) => error)).to.be.instanceOf(RangeError)
  })

  it('keep away who wants the root alone, until the last of them has ended', async () => {
    const { service, source } = lab
    await scratch(async (outer) => {
      await scratch((inner) => shell(inner, 'true'))
      expect(await codeOf(exclusive(() => Promise.resolve()))).to.equal('CHROOT_BUSY')
      expect(await codeOf(service.remove(name, makeContext()))).to.equal('CHROOT_BUSY')
      const again = service.create({ name, from: { directory: source } }, makeContext())
      expect(await codeOf(again)).to.equal('CHROOT_BUSY')
      expect((await shell(outer, 'ls /usr/bin/sh')).code).to.equal(0)
    })
    expect(await exclusive((session) => shell(session, 'exit 3'))).to.include({ code: 3 })
  })

  it('are kept away by who has the root alone', async () => {
    expect(await exclusive(() => codeOf(scratch(() => Promise.resolve())))).to.equal('CHROOT_BUSY')
    expect(await codeOf(scratch(() => Promise.resolve()))).to.equal('no error')
  })

  it('need a root', async () => {
    const use = lab.service.scratch('missing', makeContext(), () => Promise.resolve())
    expect(await codeOf(use)).to.equal('CHROOT_MISSING')
    const near = lab.service.scratch(name.slice(0, -1), makeContext(), () => Promise.resolve())
    const error = await near.catch((caught: unknown) => caught)
    expect(error).to.include({ code: 'CHROOT_MISSING', hint: `did you mean ${name}?` })
  })

  it('are as many at a time as may be', async () => {
    const few = openRootService(lab.chroots, undefined, () => 2)
    const next = () => scratch((session) => shell(session, 'exit 0'), makeContext(), few)
    await two(async () => {
      expect(await codeOf(next())).to.equal('CHROOT_BUSY')
    })
    expect((await next()).code).to.equal(0)
    const many = Array.from({ length: 6 }, (_, index) =>
      scratch(async (session) => (await shell(session, `exit ${index}`)).code),
    )
    expect(await Promise.all(many)).to.deep.equal([0, 1, 2, 3, 4, 5])
  })

  it('cannot see or end processes of each other, though these have the same users', async () => {
    await scratch(async (other) => {
      const context = makeContext()
      const waiting = scratch(async (one) => {
        const { ready, end } = begin(one, 'trap "" TERM')
        await ready
        const { lines } = await shell(other, 'set -- /proc/[0-9]*; echo $#; kill -KILL -1; exit 0')
        // its own init and sh
        expect(lines[0]).to.equal('2')
        const alive = new Promise((resolve) => setTimeout(() => resolve('alive'), 100))
        expect(await Promise.race([end, alive])).to.equal('alive')
        context.abort()
        await end
      }, context)
      expect(await codeOf(waiting)).to.equal('ABORTED')
    })
  })

  it('take back what is in their own directories, while another one goes on writing in its own', async () => {
    const [mine = '', theirs = ''] = ['mine', 'theirs'].map((name) => join(lab.top, name))
    const bind = (source: string) => ({ binds: [{ source, target: '/mnt', writable: true }] })
    const context = makeContext()
    const writing = scratch(async (one) => {
      const { ready, end } = begin(one, 'echo x > /mnt/x', bind(theirs))
      await ready
      await scratch(async (other) => {
        await shell(other, 'echo y > /mnt/y', bind(mine))
        await other.reclaim(mine)
      })
      expect(statSync(join(mine, 'y')).uid).to.equal(0)
      expect(statSync(join(theirs, 'x')).uid).to.equal(one.uidBase)
      context.abort()
      await end
    }, context)
    expect(await codeOf(writing)).to.equal('ABORTED')
  })

  it('have limits of their own', async () => {
    const hog = 'x=0123456789abcdef; while :; do x=$x$x; done'
    const forks = 'i=0; while [ $i -lt 14 ]; do sleep 2 & i=$((i+1)); done; echo all'
    await two(async (one, other) => {
      const limits = { memory: 64 << 20, processes: 20 }
      const [killed, both] = await Promise.all([codeOf(shell(one, hog, { limits })), shell(other, forks, { limits })])
      expect(killed).to.equal('LIMIT_MEMORY')
      expect(both.lines).to.deep.equal(['all'])
      const together = await Promise.all([one, other].map((session) => shell(session, forks, { limits })))
      expect(together.map(({ lines }) => lines)).to.deep.equal([['all'], ['all']])
      expect(await codeOf(shell(one, 'sleep 1000', { limits: { seconds: 0.3 } }))).to.equal('LIMIT_TIME')
    })
  })

  it('end at once when they are stopped, the others go on', async () => {
    await scratch(async (other) => {
      await shell(other, 'echo x > /file')
      const context = makeContext()
      const stopped = scratch(
        (one) => one.run(request(['/bin/sh', '-c', 'trap "" TERM; echo x; while :; do sleep 1; done']), context.abort),
        context,
      )
      expect(await codeOf(stopped)).to.equal('ABORTED')
      expect((await shell(other, 'cat /file')).lines).to.deep.equal(['x'])
    })
    const before = makeContext()
    before.abort()
    expect(await codeOf(scratch(() => Promise.resolve(), before))).to.equal('ABORTED')
  })
})
