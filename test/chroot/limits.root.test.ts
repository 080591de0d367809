import { expect } from 'chai'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RunRequest } from '../../src/chroot/requests.js'
import { needsRoot } from '../lab/needs-root.js'
import { codeOf, type Lab, makeContext, makeLab, request, shell } from './lab.js'

describe('chroot: limits and stopping', () => {
  let lab: Lab
  before(needsRoot)
  before(async () => {
    lab = makeLab()
    await lab.service.create({ name: 'limited', from: { directory: lab.source } }, makeContext())
  })
  after(() => lab.remove())
  afterEach('no process, mount or control group is left', async () => {
    const { uidBase } = (await lab.service.list())[0]!
    const processes = execFileSync('ps', ['-eo', 'uid'], { encoding: 'utf8' }).split('\n').map(Number)
    expect(processes.filter((uid) => uid >= uidBase && uid < uidBase + 65_536)).to.deep.equal([])
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.to.include(lab.top)
    const groups = execFileSync('find', ['/sys/fs/cgroup', '-name', 'treeswap-limited-*'], { encoding: 'utf8' })
    expect(groups).to.equal('')
  })

  const outcome = (script: string, more: Partial<RunRequest>, context = makeContext()) =>
    codeOf(lab.service.session('limited', context, (session) => shell(session, script, more)))

  const hog = 'x=0123456789abcdef; while :; do x=$x$x; done'

  it('ends what needs more memory than it may have', async () => {
    expect(await outcome(hog, { limits: { memory: 64 << 20 } })).to.equal('LIMIT_MEMORY')
  })

  it('warns only, when the program got over a killed child', async () => {
    const context = makeContext()
    const code = await lab.service.session('limited', context, async (session) => {
      return (await shell(session, `sh -c '${hog}'; exit 0`, { limits: { memory: 64 << 20 } })).code
    })
    expect(code).to.equal(0)
    expect(context.warnings).to.have.length(1)
  })

  it('refuses more processes than allowed', async () => {
    await lab.service.session('limited', makeContext(), async (session) => {
      const script = 'i=0; while [ $i -lt 60 ]; do sleep 1 & i=$((i+1)); done; echo all'
      const few = await shell(session, script, { limits: { processes: 20 } })
      expect(few.lines.join('\n')).to.match(/[Cc]annot fork/)
      expect(few.code).not.to.equal(0)
      expect((await shell(session, script, { limits: { processes: 100 } })).lines).to.deep.equal(['all'])
    })
  })

  it('ends what takes longer than it may', async () => {
    expect(await outcome('sleep 1000 & sleep 1000', { limits: { seconds: 0.5 } })).to.equal('LIMIT_TIME')
  })

  it('ends at once when the caller is stopped, even what ignores signals', async () => {
    const context = makeContext()
    const action = lab.service.session('limited', context, (session) =>
      session.run(
        request(['/bin/sh', '-c', 'trap "" TERM INT HUP; echo ready; while :; do sleep 1; done']),
        context.abort,
      ),
    )
    expect(await codeOf(action)).to.equal('ABORTED')
  })

  it('ends what takes more of the disk than it may, in its layer and in what it was lent', async () => {
    const writable = join(lab.top, 'lent')
    mkdirSync(writable)
    const binds = [{ source: writable, target: '/mnt', writable: true }]
    const fill = (file: string) => `yes | head -c 20000000 > ${file}; sync; sleep 1000`
    expect(await outcome(fill('/big'), { limits: { disk: 10 << 20 } })).to.equal('LIMIT_DISK')
    expect(await outcome(fill('/mnt/big'), { limits: { disk: 10 << 20 }, binds })).to.equal('LIMIT_DISK')
    expect(await outcome('yes | head -c 20000000 > /big', { limits: { disk: 1 << 30 } })).to.equal('no error')
  })

  it('ends who fills a disk, before it is full, and nobody else', async () => {
    const disk = join(lab.top, 'disk')
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', disk])
    try {
      const directory = (name: string): Partial<RunRequest> => {
        mkdirSync(join(disk, name), { recursive: true })
        return {
          binds: [{ source: join(disk, name), target: '/mnt', writable: true }],
          limits: { disk: 2 ** 40 },
        }
      }
      const write = (bytes: number) => `yes | head -c ${bytes} > /mnt/big`
      const aside = (script: string, more: Partial<RunRequest>) =>
        codeOf(lab.service.scratch('limited', makeContext(), (session) => shell(session, script, more)))
      const filling = aside(`${write(64_500_000)}; sleep 1000`, directory('one'))
      const small = aside(`${write(100_000)}; sleep 5`, directory('other'))
      expect(await Promise.all([filling, small])).to.deep.equal(['LIMIT_DISK', 'no error'])
      const inodes = 'i=0; while :; do echo > /mnt/file$i; i=$((i+1)); done; sleep 1000'
      execFileSync('mount', ['-o', 'remount,size=64m,nr_inodes=2000', disk])
      expect(await outcome(`${inodes} 2> /dev/null`, directory('two'))).to.equal('LIMIT_DISK')
    } finally {
      execFileSync('umount', [disk])
    }
  })

  it('does not begin when the caller was stopped before', async () => {
    const context = makeContext()
    context.abort()
    expect(await outcome('true', {}, context)).to.equal('ABORTED')
  })

  it('outlives a program that floods its output, with and without line ends', async () => {
    for (const flood of ['yes', 'yes | tr -d "\\n"']) {
      const context = makeContext()
      let bytes = 0
      let longest = 0
      const action = lab.service.session('limited', context, (session) =>
        session.run(request(['/bin/sh', '-c', flood]), (line) => {
          bytes += line.length + 1
          longest = Math.max(longest, line.length)
          if (bytes > 20_000_000) context.abort()
        }),
      )
      expect(await codeOf(action)).to.equal('ABORTED')
      expect(longest).to.be.at.most(65_536)
    }
  })

  it('stops the container when its output cannot be taken', async () => {
    const action = lab.service.session('limited', makeContext(), (session) =>
      session.run(request(['/usr/bin/yes']), () => {
        throw new RangeError('the log is full')
      }),
    )
    expect(await action.catch((error: unknown) => error)).to.be.instanceOf(RangeError)
  })
})
