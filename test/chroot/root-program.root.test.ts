import { expect } from 'chai'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, linkSync, lstatSync, mkdirSync, readFileSync } from 'node:fs'
import { rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PROTOCOL, type Request } from '../../src/chroot/remote-protocol.js'
import type { RunRequest, Session } from '../../src/chroot/requests.js'
import { needsRoot } from '../lab/needs-root.js'
import { type AgentLab, makeAgentLab, ownersBelow, rawSession, sayTo } from './agent-lab.js'
import { codeOf, makeContext, request, shell } from './lab.js'

const hello = { type: 'hello', protocol: PROTOCOL, version: 'test' }

describe('chroot: the root program of an unprivileged agent', function () {
  this.timeout(60_000)
  let lab: AgentLab | undefined
  let untouched: string
  const all = (): AgentLab => lab!
  const outside = (): string => [ownersBelow('/etc'), ownersBelow('/root', 1), ownersBelow(other(), 4)].join('\n')
  /** what belongs to somebody else, in a place that the agent can reach */
  const other = (): string => join(all().top, 'other')

  before(needsRoot)
  before(async () => {
    lab = makeAgentLab()
    mkdirSync(join(other(), 'sub'), { recursive: true })
    writeFileSync(join(other(), 'sub/file'), 'theirs\n', { mode: 0o640 })
    chownSync(join(other(), 'sub/file'), 1234, 1234)
    await lab.service.create({ name: 'allowed' }, makeContext())
    untouched = outside()
  })
  after(() => lab?.remove())
  afterEach('nothing outside has changed', () => {
    expect(outside()).to.equal(untouched)
  })

  const use = <T>(action: (session: Session) => Promise<T>, context = makeContext()) =>
    all().service.session('allowed', context, action)
  const bind = (source: string, writable = true): Partial<RunRequest> => ({
    binds: [{ source, target: '/mnt', writable }],
  })

  describe('does what a builder needs', () => {
    it('lists what there is, and only what is allowed', async () => {
      expect((await all().service.list()).map(({ name }) => name)).to.deep.equal(['allowed'])
    })

    it('runs programs, keeps what is committed, and hands on output, exit codes and errors', async () => {
      await use(async (session) => {
        expect(await shell(session, 'id -u; echo x > /kept; exit 7')).to.deep.equal({ code: 7, lines: ['0'] })
        await session.commit()
        await shell(session, 'echo y > /dropped')
      })
      await use(async (session) => {
        expect((await shell(session, 'ls -d /kept /dropped')).lines[0]).to.include('/dropped')
        expect((await shell(session, 'cat /kept')).lines).to.deep.equal(['x'])
      })
      expect(await codeOf(all().service.session('by-hand', makeContext(), () => Promise.resolve()))).to.equal(
        'CHROOT_MISSING',
      )
    })

    it("lends the agent's directories, and gives back what containers wrote, whatever its name, depth and mode", async () => {
      const { builder, user } = all()
      const directory = user.makeDirectory(builder, 'lent')
      user.makeDirectory(directory, 'inside')
      await use(async (session) => {
        const script = `cd /mnt && cat /bin/sh > inside/evil && chmod 6777 inside/evil && chown 1000:1000 inside/evil
          mkdir closed && touch closed/in && chmod 0 closed && ln -s /etc/passwd link && mkfifo pipe
          touch "$(printf 'not \\\\377 text')" && x=. && i=0
          while [ $i -lt 300 ]; do mkdir d && cd d && i=$((i+1)); done; echo made`
        const { lines } = await shell(session, script.replace('mkfifo pipe', ':'), bind(directory))
        expect(lines.at(-1)).to.equal('made')
        expect(statSync(directory).uid).to.equal(session.uidBase)
        await session.reclaim(directory)
      })
      const foreign = execFileSync('find', [directory, '-not', '-uid', String(user.uid)], { encoding: 'utf8' })
      expect(foreign).to.equal('')
      expect(lstatSync(join(directory, 'inside/evil')).mode & 0o7777).to.equal(0o755)
      expect(statSync(join(directory, 'closed')).mode & 0o7777).to.equal(0o700)
      expect(lstatSync(join(directory, 'link'))).to.include({ uid: user.uid, gid: user.gid })
      execFileSync(user.as('rm', '-rf', directory)[0]!, user.as('rm', '-rf', directory).slice(1))
      expect(existsSync(directory)).to.equal(false)
    })

    it('stops at once when asked to, and can still give back directories then', async () => {
      const context = makeContext()
      const directory = all().user.makeDirectory(all().builder, 'stopped')
      const code = await codeOf(
        use(async (session) => {
          try {
            await session.run(
              request(['/bin/sh', '-c', 'echo x > /mnt/x; echo written; sleep 1000'], bind(directory)),
              () => context.abort(),
            )
          } finally {
            await session.reclaim(directory)
          }
        }, context),
      )
      expect(code).to.equal('ABORTED')
      expect(statSync(join(directory, 'x')).uid).to.equal(all().user.uid)
    })

    it('lets a flood of output wait for its reader', async () => {
      let count = 0
      const context = makeContext()
      await codeOf(
        use(
          (session) =>
            session.run(request(['/bin/sh', '-c', 'yes | head -n 300000']), async () => {
              if (++count % 1000 === 0) await new Promise((resolve) => setTimeout(resolve, 1))
            }),
          context,
        ),
      )
      expect(count).to.equal(300_000)
    })
  })

  describe('refuses', () => {
    it("directories that are not the agent's, and paths that lead elsewhere", async () => {
      const { builder, user, top } = all()
      const own = user.makeDirectory(builder, 'own')
      mkdirSync(join(builder, 'of-root'))
      mkdirSync(join(builder, 'of-another'))
      chownSync(join(builder, 'of-another'), 1234, 1234)
      symlinkSync('/etc', join(builder, 'link'))
      writeFileSync(join(builder, 'file'), '')
      symlinkSync(top, join(own, 'up'))
      await rawSession(all(), async (talk) => {
        const raw = (source: string, writable: boolean) =>
          codeOf(talk.ask({ type: 'run', request: request(['/bin/true'], bind(source, writable)) }))
        const reclaimed = (directory: string) => codeOf(talk.ask({ type: 'reclaim', directory }))
        for (const writable of [true, false]) {
          for (const path of ['/etc', '/root', '/', other(), builder, join(top, 'chroots/allowed'), `${builder}-not`]) {
            expect(await raw(path, writable), path).to.equal('BIND_REFUSED')
          }
          for (const path of ['of-root', 'of-another']) {
            expect(await raw(join(builder, path), writable), path).to.equal('BIND_REFUSED')
          }
          for (const path of ['link', 'link/ssl', 'own/up', 'own/up/other', 'nowhere', 'file']) {
            expect(await raw(join(builder, path), writable), path).to.equal('BIND_MISSING')
          }
        }
        for (const path of ['/etc', other(), builder, join(builder, 'of-another')]) {
          expect(await reclaimed(path), path).to.equal('BIND_REFUSED')
        }
        expect(await reclaimed(join(builder, 'link'))).to.equal('BIND_MISSING')
      })
      for (const path of [`${builder}/../other`, `${builder}/own/../../other`, 'own', `${builder}//own`]) {
        expect(await inSession({ type: 'run', request: request(['/bin/true'], bind(path)) }), path).to.equal(
          'REQUEST_INVALID',
        )
      }
      expect(statSync(join(builder, 'of-another')).uid).to.equal(1234)
    })

    /** Without what the honest runner would see to. */
    const inSession = (message: Request) => codeOf(rawSession(all(), (talk) => talk.ask(message)))

    it("what is another's in a lent directory: files with further links, directories", async () => {
      const { builder, user } = all()
      const directory = user.makeDirectory(builder, 'mixed')
      linkSync(join(other(), 'sub/file'), join(directory, 'linked'))
      mkdirSync(join(directory, 'theirs'), { mode: 0o755 })
      await use(async (session) => {
        await shell(
          session,
          'chmod 777 /mnt/linked; chown 0 /mnt/linked; echo x >> /mnt/linked; echo x > /mnt/theirs/x',
          bind(directory),
        )
        await session.reclaim(directory)
      })
      expect(statSync(join(directory, 'theirs')).uid).to.equal(0)
      expect(existsSync(join(directory, 'theirs/x'))).to.equal(false)
      expect(readFileSync(join(other(), 'sub/file'), 'utf8')).to.equal('theirs\n')
    })

    it('roots, origins, networks and terminals that the administrator has not allowed', async () => {
      const { service, top } = all()
      const start = (name: string) => codeOf(service.session(name, makeContext(), () => Promise.resolve()))
      for (const name of ['other', '../allowed', '.locks', '__proto__', 'constructor']) {
        expect(await start(name), name).to.equal('CHROOT_REFUSED')
      }
      const create = (name: string, from?: { directory: string }) =>
        codeOf(service.create({ name, ...(from && { from }) }, makeContext()))
      expect(await create('other')).to.equal('CHROOT_REFUSED')
      expect(await create('by-hand')).to.equal('CHROOT_ORIGIN')
      expect(await create('by-hand', { directory: '/etc' })).to.equal('ORIGIN_REFUSED')
      expect(await create('allowed', { directory: '/root' })).to.equal('ORIGIN_REFUSED')
      expect(await create('allowed', { directory: `${top}/source` })).to.equal('CHROOT_EXISTS')
      expect(await codeOf(service.remove('allowed', makeContext()))).to.equal('ROOT_NEEDED')
      const run = (more: Partial<RunRequest>) => inSession({ type: 'run', request: request(['/bin/true'], more) })
      expect(await run({ network: true })).to.equal('NETWORK_REFUSED')
      expect(await run({ interactive: true })).to.equal('INTERACTIVE_REFUSED')
    })

    it('more than the allowed memory, processes and time, also where nothing is asked for', async () => {
      const { configure } = all()
      try {
        const hog = 'x=0123456789abcdef; while :; do x=$x$x; done'
        const forks = 'i=0; while [ $i -lt 60 ]; do sleep 0.2 & i=$((i+1)); done; echo all'
        for (const limits of [{}, { memory: 8e9, processes: 4096, seconds: 1e6 }]) {
          configure({ chroot: ', limits: { time: 2s }' })
          expect(await codeOf(use((session) => shell(session, 'sleep 1000', { limits })))).to.equal('LIMIT_TIME')
          configure({ chroot: ', limits: { memory: 64M, processes: 20 }' })
          expect(await codeOf(use((session) => shell(session, hog, { limits })))).to.equal('LIMIT_MEMORY')
          const { lines } = await use((session) => shell(session, forks, { limits }))
          expect(lines.join('\n')).to.match(/[Cc]annot fork/)
        }
        // what is asked for may be less
        configure({ chroot: ', limits: { time: 1h }' })
        const asked = { limits: { seconds: 0.3 } }
        expect(await codeOf(use((session) => shell(session, 'sleep 1000', asked)))).to.equal('LIMIT_TIME')
      } finally {
        configure()
      }
    })

    it('what is no message, too long, out of turn or not of exactly the known shape', async () => {
      const session = { type: 'session', chroot: 'allowed' }
      const run = (more: object) => ({ type: 'run', request: { ...request(['/bin/true']), ...more } })
      const cases: [string, (string | Buffer | object)[]][] = [
        ['PROTOCOL', ['no json\n']],
        ['PROTOCOL', [Buffer.from([0xff, 0xfe, 0, 10])]],
        ['PROTOCOL', [{ type: 'list' }]],
        ['PROTOCOL', [hello, 'x'.repeat(5 << 20)]],
        ['PROTOCOL', [hello, `${'['.repeat(100_000)}\n`]],
        ['REQUEST_INVALID', [hello, { type: 'remove', name: 'allowed' }]],
        ['REQUEST_INVALID', [hello, { type: 'run', request: request(['/bin/true']) }]],
        ['REQUEST_INVALID', [hello, { type: 'list', more: 1 }]],
        ['REQUEST_INVALID', [hello, session, session]],
        ['REQUEST_INVALID', [hello, session, run({ argv: ['/bin/true', 'a\0b'] })]],
        ['REQUEST_INVALID', [hello, session, run({ argv: [] })]],
        ['REQUEST_INVALID', [hello, session, run({ env: { 'A=B\n': '' } })]],
        ['REQUEST_INVALID', [hello, session, run({ options: ['--bind=/etc'] })]],
        ['REQUEST_INVALID', [hello, session, run({ limits: { memory: -1 } })]],
      ]
      for (const [code, messages] of cases) {
        const { replies } = await sayTo(all(), messages)
        expect(replies.find(({ type }) => type === 'error')?.code, JSON.stringify(messages).slice(0, 200)).to.equal(
          code,
        )
      }
    })

    it('another protocol, and says which versions there are', async () => {
      const { replies } = await sayTo(all(), [{ ...hello, protocol: PROTOCOL + 1 }, { type: 'list' }])
      expect(replies).to.have.length(1)
      expect(replies[0]).to.include({ type: 'hello', protocol: PROTOCOL })
    })

    it('a configuration that is missing, wrong, or that others than root can change', async () => {
      const { user, configure, service, top, builder } = all()
      const code = () => codeOf(service.list())
      const file = user.program[2]
      try {
        chmodSync(file, 0o666)
        expect(await code()).to.equal('NOT_ROOTS_ALONE')
        chmodSync(file, 0o644)
        chownSync(file, user.uid, 0)
        expect(await code()).to.equal('NOT_ROOTS_ALONE')
        chownSync(file, 0, 0)
        chmodSync(join(file, '..'), 0o775)
        expect(await code()).to.equal('NOT_ROOTS_ALONE')
        chmodSync(join(file, '..'), 0o755)
        expect(await code()).to.equal('no error')
        chmodSync(top, 0o777)
        expect(await code()).to.equal('NOT_ROOTS_ALONE')
        chmodSync(top, 0o755)
        chmodSync(join(top, 'source'), 0o777)
        expect(await codeOf(service.create({ name: 'allowed' }, makeContext()))).to.equal('NOT_ROOTS_ALONE')
        chmodSync(join(top, 'source'), 0o755)
        rmSync(file)
        symlinkSync(join(builder, 'own.yaml'), file)
        writeFileSync(join(builder, 'own.yaml'), '')
        chownSync(join(builder, 'own.yaml'), user.uid, user.gid)
        expect(await code()).to.equal('NOT_ROOTS_ALONE')
        rmSync(file)
        expect(await code()).to.equal('ROOT_CONFIG_MISSING')
        configure({ binds: top })
        expect(await code()).to.equal('ROOT_CONFIG_INVALID')
        configure({ binds: '/' })
        expect(await code()).to.equal('ROOT_CONFIG_INVALID')
        user.configure(
          readFileSync(file, 'utf8')
            .replace(/user: .*/, 'user: somebody')
            .replace('[/]', `[${builder}]`),
        )
        expect(await code()).to.equal('CALLER_REFUSED')
      } finally {
        for (const path of [top, join(top, 'source'), join(file, '..')]) chmodSync(path, 0o755)
        rmSync(file, { force: true })
        configure()
      }
    })

    it('other command lines, by the sudo rule, and what the environment would have', async () => {
      const { user, service, builder } = all()
      const [program] = user.program
      const sudo = (...args: string[]) => {
        const [file = '', ...rest] = user.as('sudo', '-n', ...args)
        return spawnSync(file, rest, { encoding: 'utf8', input: '' })
      }
      const own = join(builder, 'root.yaml')
      for (const args of [[program], [program, '--config', own], [...user.program, '--config', own], ['/bin/sh']]) {
        const { status, stdout, stderr } = sudo(...args)
        expect([status, stdout], stderr).to.deep.equal([1, ''])
      }
      for (const variable of ['SUDO_UID=0', 'NODE_OPTIONS=--require=/tmp/x', 'LD_PRELOAD=/tmp/x.so']) {
        expect(sudo(variable, ...user.program).status).to.equal(1)
      }
      const fake = user.makeDirectory(builder, 'bin')
      const mark = join(builder, 'ran-as-root')
      for (const name of ['node', 'env', 'sh', 'systemd-nspawn', 'setpriv', 'flock']) {
        writeFileSync(join(fake, name), `#!/bin/sh\nid -u >> ${mark}\n`, { mode: 0o755 })
      }
      writeFileSync(join(fake, 'evil.cjs'), `require('fs').writeFileSync('${mark}', String(process.getuid()))`)
      const env = {
        PATH: `${fake}:/usr/sbin:/usr/bin:/sbin:/bin`,
        NODE_OPTIONS: `--require ${fake}/evil.cjs`,
        NODE_PATH: fake,
        LD_PRELOAD: join(fake, 'evil.so'),
        ENV: join(fake, 'sh'),
        BASH_ENV: join(fake, 'sh'),
        SUDO_UID: '0',
        SUDO_GID: '0',
        SUDO_USER: 'root',
        TREESWAP_ROOT_CONFIG: own,
      }
      const [file = '', ...rest] = user.as('/usr/bin/sudo', '-n', ...user.program)
      const input = [hello, { type: 'list' }].map((message) => `${JSON.stringify(message)}\n`).join('')
      const { stdout } = spawnSync(
        '/usr/bin/env',
        ['-i', ...Object.entries(env).map(([k, v]) => `${k}=${v}`), '/usr/bin/setpriv', ...[file, ...rest].slice(1)],
        { encoding: 'utf8', input },
      )
      expect(stdout).to.include('"allowed"')
      expect(existsSync(mark)).to.equal(false)
      // without sudo to clean the environment, the program does it
      const direct = spawnSync(program, user.program.slice(1), { encoding: 'utf8', input, env })
      expect(direct.stdout, direct.stderr).to.include('CALLER_UNKNOWN')
      expect(existsSync(mark)).to.equal(false)

      user.allow(`${program} ""`)
      try {
        expect(await codeOf(service.list())).to.equal('ROOT_PROGRAM_REFUSED')
      } finally {
        user.allow(user.program.join(' '))
      }
    })
  })
})
