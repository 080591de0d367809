import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'chai'
import { execa } from 'execa'
import type { PublishOver } from '../../src/config/jenkins.js'
import type { Context } from '../../src/model/report.js'
import { publishOver } from '../../src/pipeline/publish-over.js'
import type { PublishRequest } from '../../src/pipeline/publish-request.js'
import { check } from '../../src/publish/check.js'
import { openStore } from '../../src/store/layout.js'
import { withTreeLock } from '../../src/store/lock.js'
import { publishedNumber } from '../../src/store/references.js'
import { compile } from '../cli/treeswap.js'
import { needsRoot } from '../lab/needs-root.js'
import { silent } from '../lab/silent.js'
import { archive, contentOf, failure } from '../store/machine.js'
import { makeKey, startPublisherHost } from './publisher-host.js'
import type { Account, PublisherHost } from './publisher-host.js'

describe('publishing over SSH', function () {
  this.timeout(120_000)
  before(needsRoot)
  before(compile)

  let directory: string
  let host: PublisherHost
  let over: PublishOver
  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'treeswap-over-'))
    host = await startPublisherHost(directory)
    const { port, hostKey, publisher } = host
    over = { host: '127.0.0.1', port, user: publisher.name, hostKey, credentials: 'treeswap-publisher' }
    await archive(host.artifacts, 1, { world: 'one\n' })
    await archive(host.artifacts, 2, { world: 'two\n' }, { base: 1 })
  })
  after(async () => {
    await (host as PublisherHost | undefined)?.stop()
    if (directory) rmSync(directory, { recursive: true, force: true })
  })

  const ask = (request: Omit<PublishRequest, 'schema'>, changed: Partial<PublishOver> = {}, context = silent) =>
    publishOver({ ...over, ...changed }, request, host.keyFile, context, { pauses: [] })

  const world = (): string => readFileSync(join(host.root, 'published/box/.profile/var/lib/portage/world'), 'utf8')

  it('publishes and goes back; user and directories are not the builder’s', async () => {
    const first = await ask({ action: 'publish', tree: 'box', build: 1 })
    expect(first).to.include({ tree: 'box', build: 1, serial: 1, already: false })
    expect(first.pulled?.newObjects).to.be.greaterThan(0)
    expect(await ask({ action: 'publish', tree: 'box', reference: 'latest' })).to.include({ build: 2, serial: 2 })
    expect(world()).to.equal('two\n')
    expect(await ask({ action: 'rollback', tree: 'box' })).to.include({ build: 1, serial: 3 })
    expect(await ask({ action: 'rollback', tree: 'box', build: 2 })).to.include({ build: 2, serial: 4 })
    expect(await ask({ action: 'publish', tree: 'box', build: 2 })).to.include({ serial: 4, already: true })
    expect(statSync(join(host.root, 'published/box/')).uid)
      .to.equal(host.publisher.uid)
      .and.not.to.equal(0)
    expect(host.builder.uid).not.to.equal(host.publisher.uid)
    const write = (who: Account, path: string) => as(who, 'touch', [join(path, 'mine')])
    expect((await write(host.builder, host.root)).exitCode).to.equal(1)
    expect((await write(host.publisher, host.artifacts)).exitCode).to.equal(1)
  })

  it('is asked from the command line with a key in a file, by a builder that is not root', async () => {
    const config = join(directory, 'builder.yaml')
    const { port, user, hostKey } = over
    const section = { host: 'localhost', port, user, 'host-key': hostKey, credentials: 'treeswap-publisher' }
    writeFileSync(config, JSON.stringify({ schema: 1, jenkins: { 'publish-over': section } }))
    const treeswap = (args: string[], env: Record<string, string>) =>
      as(host.builder, join(directory, 'treeswap'), [...args, '--config', config, '--json'], env)
    const key = { TREESWAP_SSH_KEY: host.keyFile }
    const published = await treeswap(['publish', 'box@1', '--over'], key)
    expect(published.exitCode, published.stdout + published.stderr).to.equal(0)
    expect(JSON.parse(published.stdout)).to.include({ schema: 1, tree: 'box', build: 1 })
    expect(published.stderr, 'what the publisher says while it works').to.include('publishing box@1')
    expect(JSON.parse((await treeswap(['rollback', 'box', '--over'], key)).stdout)).to.include({ build: 2 })
    const unknown = await treeswap(['publish', 'box@99', '--over'], key)
    expect(unknown.exitCode).to.equal(10)
    expect(JSON.parse(unknown.stdout)).to.have.nested.include({ 'error.code': 'BUILD_MISSING' })
    for (const args of [['--from', 'dir:/'], ['--root', '/'], ['--no-http']]) {
      const refused = await treeswap(['publish', 'box', '--over', ...args], key)
      expect(JSON.parse(refused.stdout)).to.have.nested.include({ 'error.code': 'USAGE' })
    }
    expect(JSON.parse((await treeswap(['publish', 'box', '--over'], {})).stdout)).to.have.nested.include({
      'error.code': 'SSH_KEY_MISSING',
    })
  })

  it('is done on the publisher itself by its own user, who only reads the artifacts', async () => {
    const from = ['--from', `dir:${host.artifacts}`]
    const treeswap = (...args: string[]) =>
      as(host.publisher, join(directory, 'treeswap'), [...args, '--root', host.root, '--json'])
    const published = await treeswap('publish', 'box@1', ...from)
    expect(published.exitCode, published.stdout + published.stderr).to.equal(0)
    expect(JSON.parse((await treeswap('publish', 'box', ...from)).stdout)).to.include({ build: 2 })
    expect(JSON.parse((await treeswap('rollback', 'box')).stdout)).to.include({ build: 1 })
    const builders = await as(host.builder, join(directory, 'treeswap'), ['publish', 'box@2', '--root', host.root])
    expect(builders.exitCode).to.equal(11)
    expect(world()).to.equal('one\n')
  })

  it('tells apart what keeps it from connecting, and sends nothing then', async () => {
    const request = { action: 'publish', tree: 'box', build: 1 } as const
    const [type = ''] = host.hostKey.split(' ')
    const other = readFileSync(`${makeKey(join(directory, 'other'), { uid: 0, gid: 0 })}.pub`, 'utf8').split(' ')[1]
    const before = host.sshdLog().length
    const mismatch = await failure(ask(request, { hostKey: `${type} ${other}` }))
    expect(mismatch).to.include({ code: 'SSH_HOST_KEY', category: 'configuration' })
    const otherType = readFileSync(`${rsaKey(join(directory, 'rsa'))}.pub`, 'utf8')
      .split(' ')
      .slice(0, 2)
      .join(' ')
    expect(await failure(ask(request, { hostKey: otherType }))).to.include({ code: 'SSH_HOST_KEY' })
    expect(host.sshdLog().slice(before)).not.to.include('Accepted publickey')
    const stranger = publishOver(over, request, join(directory, 'other'), silent, { pauses: [] })
    expect(await failure(stranger)).to.include({ code: 'SSH_KEY_REFUSED', category: 'configuration' })
    expect(await failure(ask(request, { user: 'root' }))).to.include({ code: 'SSH_KEY_REFUSED' })
    expect(host.sshdLog().slice(before)).not.to.include('Accepted publickey')
    expect(await failure(publishOver(over, request, '/nonexistent/key', silent))).to.include({
      code: 'SSH_KEY_MISSING',
    })
  })

  it('tries again to connect, and nothing else', async () => {
    const told: string[] = []
    const context = { ...silent, report: { ...silent.report, warn: (text: string) => void told.push(text) } }
    const nobody = publishOver({ ...over, port: 1 }, { action: 'publish', tree: 'box' }, host.keyFile, context, {
      pauses: [10, 20],
    })
    expect(await failure(nobody)).to.include({ code: 'SSH_UNREACHABLE', category: 'infrastructure' })
    expect(told).to.have.length(2)
    expect(told[0]).to.include('Connection refused')
    told.length = 0
    const again = { pauses: [10, 10] }
    const unknown = publishOver(over, { action: 'rollback', tree: 'nothing' }, host.keyFile, context, again)
    expect(await failure(unknown)).to.include({ code: 'TREE_UNKNOWN' })
    expect(told).to.deep.equal([])
  })

  it('passes on what the publisher refuses, with its code and category', async () => {
    const refusals: [object, string, string][] = [
      [{ action: 'publish', tree: 'unknown' }, 'BUILD_MISSING', 'configuration'],
      [{ action: 'rollback', tree: 'unknown' }, 'TREE_UNKNOWN', 'publish'],
      [{ action: 'rollback', tree: 'box', build: 9 }, 'BUILD_UNKNOWN', 'publish'],
      [{ action: 'publish', tree: '../etc' }, 'NAME_INVALID', 'configuration'],
      [{ action: 'publish', tree: 'a/../../b', build: 1 }, 'NAME_INVALID', 'configuration'],
      [{ action: 'publish', tree: 'box@1' }, 'NAME_INVALID', 'configuration'],
      [{ action: 'rollback', tree: 'box', reference: '../../etc' }, 'REFERENCE_INVALID', 'configuration'],
      [{ action: 'rollback', tree: 'box', reference: 'a@b' }, 'REFERENCE_INVALID', 'configuration'],
      [{ action: 'publish', tree: 'box', reference: 'published' }, 'REQUEST_INVALID', 'configuration'],
      [{ action: 'publish', tree: 'box', from: 'dir:/tmp' }, 'REQUEST_INVALID', 'configuration'],
      [{ action: 'remove', tree: 'box' }, 'REQUEST_INVALID', 'configuration'],
      [{ schema: 2, action: 'publish', tree: 'box' }, 'REQUEST_TOO_NEW', 'configuration'],
    ]
    for (const [request, code, category] of refusals) {
      const error = await failure(ask(request as PublishRequest))
      expect(error, JSON.stringify(request)).to.include({ code, category })
      expect(error.message).to.match(/^the publisher 127\.0\.0\.1: /)
    }
  })

  it('gives nothing else to who has the key: no shell, command, file transfer, forwarding', async () => {
    const proof = join(host.publisher.home, 'proof')
    const commands: [string[], string][] = [
      [['-T'], `touch ${proof}\n`],
      [[], ''],
    ]
    const told = []
    for (const [options, input] of commands) told.push(await ssh(options, [], input))
    told.push(await ssh([], [`touch ${proof}`], ''))
    told.push(await ssh(['-s'], ['sftp'], `put /etc/passwd ${proof}\n`))
    const terminal = await ssh(['-tt'], [], `touch ${proof}\nexit\n\u0004`)
    expect(terminal.stderr).to.include('PTY allocation request failed')
    for (const { exitCode, stdout } of told) {
      expect(exitCode).to.equal(10)
      expect(JSON.parse(stdout)).to.have.nested.include({
        'error.code': 'REQUEST_INVALID',
      })
    }
    expect(existsSync(proof)).to.equal(false)

    let reached = 0
    const server = createServer((socket) => {
      reached++
      socket.end('secret')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const target = `127.0.0.1:${(server.address() as AddressInfo).port}`
    const through = await ssh(['-W', target], [], '')
    expect(through.stderr).to.include('administratively prohibited')
    const back = await ssh(['-N', '-o', 'ExitOnForwardFailure=yes', '-R', `0:${target}`], [], '')
    expect(back.stderr).to.include('remote port forwarding failed')
    expect(reached).to.equal(0)
    server.close()
  })

  it('does not read a request without an end', async () => {
    const { exitCode, stdout } = await ssh([], [], `{"schema":1,${' '.repeat(2 ** 20)}`)
    expect(exitCode).to.equal(10)
    expect(JSON.parse(stdout)).to.have.nested.include({ 'error.code': 'INPUT_TOO_LARGE' })
  })

  it('ends when the connection is gone: what waits gives up, and nothing was published', async () => {
    await ask({ action: 'publish', tree: 'box', build: 1 })
    const store = openStore(host.root)
    await withTreeLock(store, 'box', silent.signal, async () => {
      const { context, cut } = interruptible(/./)
      const publishing = failure(ask({ action: 'publish', tree: 'box', build: 2 }, {}, context))
      const waits = (pid: string): boolean =>
        readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`\0${store.lock('box')}\0`)
      await until(() => processesOf(host.publisher).some(waits))
      cut()
      expect(await publishing).to.include({ code: 'ABORTED', category: 'aborted' })
      const began = Date.now()
      await until(() => processesOf(host.publisher).length === 0)
      expect(Date.now() - began, 'it would wait 10 seconds for the lock').to.be.lessThan(6000)
    })
    expect(publishedNumber(store, 'box')).to.equal(1)
  })

  it('leaves a whole generation where the connection breaks in the middle', async () => {
    const many = (text: string) =>
      Object.fromEntries(Array.from({ length: 1500 }, (_, n) => [`a/p${n}/p${n}-1.ebuild`, `${text} ${n}\n`]))
    for (const number of [1, 2]) await archive(host.artifacts, number, { repo: many(`${number}`) }, { tree: 'large' })
    await ask({ action: 'publish', tree: 'large', build: 1 })
    const store = openStore(host.root)
    const content = () => contentOf(join(host.root, 'published/large/'))
    const whole = new Map([[1, content()]])
    const { context, cut, said } = interruptible(/publishing large@2/)
    const publishing = failure(ask({ action: 'publish', tree: 'large', build: 2 }, {}, context))
    await said
    // held until it has missed a second of its connection: else a fast publish may end before it notices
    const held = processesOf(host.publisher)
    for (const pid of held) process.kill(Number(pid), 'SIGSTOP')
    cut()
    await publishing
    await new Promise((resolve) => setTimeout(resolve, 1200))
    for (const pid of held) process.kill(Number(pid), 'SIGCONT')
    await until(() => processesOf(host.publisher).length === 0)
    const published = publishedNumber(store, 'large') ?? 0
    const left = content()
    await ask({ action: 'publish', tree: 'large', build: 2 })
    whole.set(2, content())
    expect(left).to.deep.equal(whole.get(published))
    expect(published, 'it was stopped before it swapped').to.equal(held.length > 0 ? 1 : 2)
    expect(readdirSync(join(host.root, 'published/.generations')).filter((name) => /\D$/.test(name))).to.deep.equal([])
    expect(await check(store, silent)).to.deep.equal([])
  })

  it('takes no answer for one that is none', async () => {
    const authorized = join(host.publisher.home, '.ssh/authorized_keys')
    const line = readFileSync(authorized, 'utf8')
    const answered = async (command: string): Promise<Error> => {
      writeFileSync(authorized, line.replace(/command="[^"]*"/, `command="${command}"`))
      return await failure(ask({ action: 'publish', tree: 'box' }))
    }
    try {
      expect(await answered('echo Welcome')).to.include({ code: 'ANSWER_INVALID' })
      expect(await answered('no-such-program'))
        .to.include({ code: 'ANSWER_INVALID' })
        .and.property('message')
        .match(/not found/)
      expect(await answered(`echo '{\\"schema\\":2}'`)).to.include({ code: 'ANSWER_TOO_NEW' })
      expect(await answered(`echo '{\\"schema\\":1}'`)).to.include({ code: 'ANSWER_INVALID' })
      expect(await answered('kill -9 $PPID')).to.include({ code: 'SSH_LOST', category: 'infrastructure' })
    } finally {
      writeFileSync(authorized, line)
    }
  })

  /** OpenSSH's client as somebody uses it who has got hold of the key. */
  async function ssh(options: string[], command: string[], input: string) {
    const known = join(directory, 'known_hosts')
    writeFileSync(known, `there ${host.hostKey}\n`)
    const settings = ['HostKeyAlias=there', `UserKnownHostsFile=${known}`, 'BatchMode=yes', 'IdentitiesOnly=yes']
    const all = [...settings.flatMap((setting) => ['-o', setting]), '-F', '/dev/null', '-i', host.keyFile]
    const who = ['-p', String(host.port), '-l', host.publisher.name, '127.0.0.1']
    return await execa('ssh', [...options, ...all, ...who, ...command], { input, reject: false, timeout: 20_000 })
  }

  async function as({ uid, gid, home }: Account, program: string, args: string[], env: Record<string, string> = {}) {
    const options = ['--reuid', String(uid), '--regid', String(gid), '--clear-groups', '--', program, ...args]
    return await execa('setpriv', options, { reject: false, cwd: '/', env: { HOME: home, ...env } })
  }
})

function rsaKey(file: string): string {
  makeKey(file, { uid: 0, gid: 0 }, 'rsa')
  chmodSync(file, 0o600)
  return file
}

/** A context that can be stopped; `said` settles when a line of the publisher matches. */
function interruptible(wanted: RegExp): { context: Context; cut: () => void; said: Promise<void> } {
  const controller = new AbortController()
  let tell: () => void = () => undefined
  const said = new Promise<void>((resolve) => (tell = resolve))
  const line = (text: string): void => {
    if (wanted.test(text)) tell()
  }
  const context = { signal: controller.signal, report: { ...silent.report, line } }
  return { context, cut: () => controller.abort(), said }
}

/** sshd's own process of a connection belongs to that user, too. */
function processesOf({ uid }: Account): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^\d+$/.test(name)) return false
    try {
      return statSync(`/proc/${name}`).uid === uid && !readFileSync(`/proc/${name}/comm`, 'utf8').startsWith('sshd')
    } catch {
      return false
    }
  })
}

async function until(holds: () => boolean): Promise<void> {
  for (let tries = 0; !holds(); tries++) {
    if (tries > 400) throw new Error('it did not come to that')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
