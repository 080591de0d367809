import { expect } from 'chai'
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Bind, RunRequest, Session } from '../../src/chroot/requests.js'
import { needsRoot } from '../lab/needs-root.js'
import { codeOf, type Lab, makeContext, makeLab, request, shell } from './lab.js'

describe('chroot: isolation', () => {
  let lab: Lab
  let readOnly: Bind
  let writable: Bind
  before(needsRoot)
  before(async () => {
    lab = makeLab()
    await lab.service.create({ name: 'a', from: { directory: lab.source } }, makeContext())
    chmodSync(lab.top, 0o755)
    readOnly = { source: join(lab.top, 'read:only \\ dir'), target: '/mnt/read:only', writable: false }
    writable = { source: join(lab.top, 'writable'), target: '/mnt/writable', writable: true }
    mkdirSync(readOnly.source)
    writeFileSync(join(readOnly.source, 'file'), 'readable\n')
    writeFileSync(join(readOnly.source, 'secret'), 'secret\n', { mode: 0o600 })
  })
  after(() => lab.remove())

  const use = <T>(action: (session: Session) => Promise<T>) => lab.service.session('a', makeContext(), action)
  const output = (script: string, more?: Partial<RunRequest>) =>
    use(async (session) => (await shell(session, script, more)).lines)

  it('has root inside that is nobody outside', async () => {
    const lines = await output('id -u; cat /proc/self/uid_map; mknod /tmp/disk b 8 0', { binds: [readOnly] })
    expect(lines[0]).to.equal('0')
    expect(lines[1]!.trim().split(/ +/)).to.deep.equal(['0', String((await lab.service.list())[0]!.uidBase), '65536'])
    expect(lines[2]).to.match(/Operation not permitted/)
  })

  it('lets read-only binds be read (any colon and backslash in the name), not written, not remounted', async () => {
    const lines = await output(
      `cd /mnt/read:only; cat file; cat secret; echo x > file; mount -o remount,rw,bind /mnt/read:only; echo x > file`,
      { binds: [readOnly] },
    )
    expect(lines[0]).to.equal('readable')
    expect(lines[1]).to.match(/Permission denied/)
    expect(lines[2]).to.match(/Read-only file system/)
    expect(lines[3]).to.match(/permission denied|not permitted/i)
    expect(lines.at(-1)).to.match(/Read-only file system/)
    expect(readFileSync(join(readOnly.source, 'file'), 'utf8')).to.equal('readable\n')
  })

  it('mounts nothing where a link or another bind decides what its path leads to', async () => {
    const at = (target: string) => ({ binds: [writable, { ...readOnly, target }] })
    await use(async (session) => {
      const run = (target: string) => codeOf(shell(session, 'true', at(target)))
      expect(await run('/mnt/writable/sub')).to.equal('REQUEST_INVALID')
      expect(await run('/mnt/writable')).to.equal('REQUEST_INVALID')
      await shell(session, 'ln -s /mnt/writable /way')
      expect(await run('/way/in')).to.equal('BIND_TARGET')
      expect((await shell(session, 'cat /mnt/other/file', at('/mnt/other'))).lines).to.deep.equal(['readable'])
    })
  })

  it('takes what it wrote back as the caller, without setuid bits and without following links', async () => {
    const host = join(lab.top, 'host-file')
    writeFileSync(host, 'host')
    chmodSync(host, 0o2440)
    mkdirSync(join(writable.source, 'earlier/deep'), { recursive: true })
    writeFileSync(join(lab.top, 'kept'), 'kept')
    linkSync(join(lab.top, 'kept'), join(writable.source, 'earlier/deep/linked'))
    await use(async (session) => {
      const { code, lines } = await shell(
        session,
        `cd /mnt/writable; cp() { cat "$1" > "$2"; }; cp /bin/sh evil; chmod 6755 evil; mkdir closed; touch closed/in
         chmod 2000 closed; chown 1000:1000 evil; ln -s ${host} link; ln -s ${lab.top} up; echo x > earlier/deep/new`,
        { binds: [writable] },
      )
      expect(code, lines.join('\n')).to.equal(0)
      expect(statSync(join(writable.source, 'evil')).uid).to.equal(session.uidBase + 1000)
      expect(statSync(join(lab.top, 'kept')).uid).to.equal(0)
      await session.reclaim(writable.source)
    })
    const at = (name: string) => lstatSync(join(writable.source, name))
    expect(at('evil')).to.include({ uid: 0, gid: 0 })
    expect(at('evil').mode & 0o7777).to.equal(0o755)
    expect(at('closed').mode & 0o7700).to.equal(0o700)
    expect(at('closed/in').uid).to.equal(0)
    expect(at('link')).to.include({ uid: 0 })
    expect(at('.').uid).to.equal(0)
    expect(statSync(host).mode & 0o7777).to.equal(0o2440)
    expect(statSync(lab.top).mode & 0o7777).to.equal(0o755)
  })

  it('reclaims nothing of other owners, wherever it is pointed', async () => {
    const other = join(lab.top, 'others')
    mkdirSync(other)
    writeFileSync(join(other, 'file'), '', { mode: 0o600 })
    chownSync(join(other, 'file'), 1234, 1234)
    await use((session) => session.reclaim(other))
    expect(statSync(join(other, 'file'))).to.include({ uid: 1234, gid: 1234 })
    expect(statSync(join(other, 'file')).mode & 0o7777).to.equal(0o600)
  })

  it('refuses a bind that is a link or not there', async () => {
    symlinkSync('/etc', join(lab.top, 'link'))
    const bound = (source: string, mayWrite: boolean) =>
      codeOf(
        use((session) =>
          session.run(
            request(['/bin/true'], { binds: [{ source, target: '/mnt', writable: mayWrite }] }),
            () => undefined,
          ),
        ),
      )
    expect(await bound(join(lab.top, 'link'), true)).to.equal('BIND_MISSING')
    expect(await bound(join(lab.top, 'nowhere'), false)).to.equal('BIND_MISSING')
    expect(await bound('relative', false)).to.equal('REQUEST_INVALID')
    expect(statSync('/etc').uid).to.equal(0)
  })

  it('has no network but its own loopback unless it is asked for', async () => {
    const names = (lines: string[]) =>
      lines.filter((line) => line.includes(':')).map((line) => line.trim().split(':')[0])
    const host = names(readFileSync('/proc/net/dev', 'utf8').split('\n'))
    expect(names(await output('cat /proc/net/dev'))).to.deep.equal(['lo'])
    expect(names(await output('cat /proc/net/dev', { network: true }))).to.have.members(host)
    const resolver = readFileSync('/etc/resolv.conf', 'utf8').trimEnd().split('\n')
    expect(await output('cat /etc/resolv.conf', { network: true })).to.deep.equal(resolver)
  })

  it('gives a clean environment and its exact additions', async () => {
    process.env.TREESWAP_TEST_SECRET = 'secret'
    const lines = await output('echo "$VALUE"; tr "\\0" "\\n" < /proc/self/environ', {
      env: { VALUE: 'a b:c=\\d$(id)', LINES: '[one]\nx = y\n' },
    })
    delete process.env.TREESWAP_TEST_SECRET
    expect(lines[0]).to.equal('a b:c=\\d$(id)')
    expect(lines.join('\n')).not.to.include('TREESWAP_TEST_SECRET')
    expect(lines.filter((line) => line.startsWith('PATH='))).to.have.length(1)
    expect(lines.join('\n')).to.include('LINES=[one]\nx = y\n')
  })

  it('lets programs open /dev/stdout and /dev/stderr, also as another user', async () => {
    const script = 'echo one > /dev/stdout; echo two > /dev/stderr'
    const lines = await output(`${script}; setpriv --reuid 1000 --clear-groups sh -c '${script}'`)
    expect(lines).to.deep.equal(['one', 'two', 'one', 'two'])
  })

  it('lets a build make namespaces of its own', async () => {
    expect(await output('unshare --mount --net --ipc --pid --fork sh -c "echo nested"')).to.deep.equal(['nested'])
  })

  it('passes exit codes on and leaves nothing of the container on the host', async () => {
    await use(async (session) => {
      for (const code of [0, 1, 77, 255]) expect((await shell(session, `exit ${code}`)).code).to.equal(code)
      expect((await shell(session, 'kill -KILL $$')).code).not.to.equal(0)
      expect((await shell(session, 'sleep 1000 & echo started')).lines).to.deep.equal(['started'])
    })
    expect(readFileSync('/proc/self/mountinfo', 'utf8')).not.to.include(lab.top)
    expect(existsSync(join(lab.chroots, 'a/run/upper'))).to.be.false
  })
})
