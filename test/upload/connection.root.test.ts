import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { expect } from 'chai'
import type { UploadConfig } from '../../src/config/uploads.js'
import type { Context } from '../../src/model/report.js'
import { uploadTree } from '../../src/upload/upload.js'
import type { Upload, UploadOptions, UploadReport } from '../../src/upload/upload.js'
import { failure } from '../artifact/collect.js'
import { needsRoot } from '../lab/needs-root.js'
import { freePorts } from '../lab/ports.js'
import { silent } from '../lab/silent.js'
import { temporaryDirectory } from '../lab/temporary.js'
import { generation, trouble } from './generation.js'
import { startWebHost } from './web-host.js'
import type { WebHost } from './web-host.js'

describe('the connection to a web host', function () {
  this.timeout(60_000)
  before(needsRoot)

  const directory = temporaryDirectory()
  let host: WebHost
  let other: WebHost
  let what: Upload
  before(async () => {
    host = await startWebHost()
    other = await startWebHost()
  })
  after(async () => {
    for (const one of [host, other] as (WebHost | undefined)[]) await one?.stop()
  })
  beforeEach(() => {
    host.empty()
    what = generation(directory(), 1, { 'a-1-1': 'a one' })
  })

  const upload = (
    changed: Partial<UploadConfig> = {},
    options: Partial<UploadOptions> = {},
    context: Context = silent,
  ): Promise<UploadReport> =>
    uploadTree(what, { ...host.config, ...changed }, { graceSeconds: 0, pauses: [], ...options }, context)

  const isThere = (): boolean => trouble(join(host.top, 'extra')) === undefined

  const knownHosts = (...lines: string[]): UploadConfig['trusted'] => {
    const file = join(directory(), 'known_hosts')
    writeFileSync(file, lines.join('\n') + '\n')
    return { knownHosts: file }
  }

  const fingerprintOf = (hostKey: string): string => {
    const output = execFileSync('ssh-keygen', ['-l', '-f', '-'], { input: hostKey, encoding: 'utf8' })
    return /SHA256:\S+/.exec(output)![0]
  }

  describe('is made where the host proves its key', () => {
    const types = ['ed25519', 'rsa', 'ecdsa'] as const
    for (const type of types) {
      it(`${type}: given itself, as fingerprint, or in known_hosts`, async () => {
        const key = host.hostKeys[type]
        const name = `[127.0.0.1]:${host.port}`
        const wrong = types.filter((one) => one !== type).map((one) => `${name} ${other.hostKeys[one]}`)
        for (const trusted of [
          { hostKey: key },
          { fingerprint: fingerprintOf(key) },
          knownHosts(`${name} ${key}`),
          knownHosts(`127.0.0.1 ${other.hostKeys[type]}`, `other,${name} ${key}`),
          ...(type === 'ed25519' ? [knownHosts(...wrong, `${name} ${key}`)] : []),
        ]) {
          expect((await upload({ trusted })).error, JSON.stringify(trusted)).to.equal(undefined)
          expect(isThere()).to.equal(true)
          rmSync(join(host.top, 'extra'), { recursive: true })
        }
      })
    }

    it('hashed, as ssh-keygen -H writes it', async () => {
      const trusted = knownHosts(`[127.0.0.1]:${host.port} ${host.hostKeys.ed25519}`)
      execFileSync('ssh-keygen', ['-H', '-f', join(directory(), 'known_hosts')], { stdio: 'ignore' })
      expect((await upload({ trusted })).error).to.equal(undefined)
    })
  })

  it('is refused where the host shows another key, before anybody logs in', async () => {
    const name = `[127.0.0.1]:${host.port}`
    const [own, wrong] = [host.hostKeys.ed25519, other.hostKeys.ed25519]
    const loggedIn = (): number => host.sshdLog().split(`user ${host.account.name}`).length
    const before = loggedIn()
    for (const trusted of [
      { hostKey: wrong },
      { hostKey: other.hostKeys.rsa },
      { fingerprint: fingerprintOf(wrong) },
      knownHosts(`${name} ${wrong}`),
      knownHosts(`${name} ${own}`, `@revoked * ${own}`),
    ]) {
      const { error } = await upload({ trusted })
      expect(error, JSON.stringify(trusted)).to.include({ code: 'UPLOAD_HOST_KEY', category: 'configuration' })
      expect(error?.message).to.include('nothing was sent')
    }
    const { error } = await upload({ trusted: { hostKey: wrong } })
    expect(error?.message, 'which key it shows').to.include(fingerprintOf(own))
    expect(loggedIn()).to.equal(before)
    expect(readdirSync(host.top)).to.deep.equal([])
  })

  it('is not even begun where known_hosts does not know the host', async () => {
    const file = join(directory(), 'none')
    for (const trusted of [
      knownHosts(`127.0.0.1 ${host.hostKeys.ed25519}`),
      knownHosts(`@cert-authority * ${host.hostKeys.ed25519}`),
      { knownHosts: file },
    ]) {
      const error = (await upload({ trusted })).error
      expect(error).to.include({ code: 'UPLOAD_KNOWN_HOSTS', category: 'configuration' })
      expect(error?.message).to.include('knownHosts' in trusted && trusted.knownHosts === file ? file : host.port)
    }
  })

  it('needs a key that the host lets in, without a passphrase', async () => {
    const key = (name: string, passphrase = ''): string => {
      const keyFile = join(directory(), name)
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-f', keyFile])
      return keyFile
    }
    const invalid = join(directory(), 'invalid')
    writeFileSync(invalid, 'SECRET-TEXT')
    const expected: [string, Partial<UploadConfig>][] = [
      ['UPLOAD_KEY_REFUSED', { keyFile: key('stranger') }],
      ['UPLOAD_KEY_REFUSED', { user: 'nobody' }],
      ['UPLOAD_KEY_PASSPHRASE', { keyFile: key('locked', 'a passphrase') }],
      ['UPLOAD_KEY_INVALID', { keyFile: invalid }],
      ['UPLOAD_KEY_INVALID', { keyFile: `${host.keyFile}.pub` }],
      ['UPLOAD_KEY_MISSING', { keyFile: join(directory(), 'none') }],
      ['UPLOAD_KEY_MISSING', { keyFile: directory() }],
      ['UPLOAD_KEY_MISSING', { keyFile: join(directory(), 'x'.repeat(300)) }],
      ['UPLOAD_KNOWN_HOSTS', { trusted: { knownHosts: directory() } }],
    ]
    for (const [code, changed] of expected) {
      const { error } = await upload(changed)
      expect(error, code).to.include({ code, category: 'configuration' })
      expect(error?.hint).not.to.equal('')
      expect(JSON.stringify([error?.message, error?.hint, error?.stack])).not.to.match(/SECRET|PRIVATE KEY/)
    }
  })

  it('does not use a key that others may read, as ssh does not', async () => {
    const keyFile = join(directory(), 'shown')
    writeFileSync(keyFile, readFileSync(host.keyFile), { mode: 0o640 })
    const { error } = await upload({ keyFile })
    expect(error).to.include({ code: 'UPLOAD_KEY_EXPOSED', category: 'configuration' })
    expect(error?.hint).to.include(`chmod 600 ${keyFile}`)
    chownSync(keyFile, 65_534, 0)
    expect((await upload({ keyFile })).error, 'it may be lent by another user').to.equal(undefined)
    chmodSync(keyFile, 0o600)
    expect((await upload({ keyFile })).error).to.equal(undefined)
  })

  describe('with what the environment says', () => {
    const { SSH_AUTH_SOCK: socket } = process.env
    afterEach(async () => {
      process.env.TREESWAP_SSH_KEY = ''
      if (socket === undefined) delete process.env.SSH_AUTH_SOCK
      else process.env.SSH_AUTH_SOCK = socket
      await upload()
    })

    it('uses the key that it names before the one of the configuration', async () => {
      const locked = join(directory(), 'locked')
      execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', 'secret', '-f', locked])
      process.env.TREESWAP_SSH_KEY = host.keyFile
      expect((await upload({ keyFile: locked })).error).to.equal(undefined)
      process.env.TREESWAP_SSH_KEY = locked
      expect((await upload()).error).to.include({ code: 'UPLOAD_KEY_PASSPHRASE' })
    })

    it('asks the agent where no key is named, and says so where there is none', async () => {
      const path = join(directory(), 'agent')
      const agent = spawn('setpriv', ['--pdeathsig', 'TERM', 'ssh-agent', '-D', '-a', path], { stdio: 'ignore' })
      try {
        process.env.SSH_AUTH_SOCK = path
        for (let tries = 0; tries < 100 && !readdirSync(directory()).includes('agent'); tries++) {
          await new Promise((resolve) => setTimeout(resolve, 20))
        }
        expect((await upload({ keyFile: undefined })).error, 'without keys').to.include({ code: 'UPLOAD_KEY_REFUSED' })
        execFileSync('ssh-add', ['-q', host.keyFile])
        expect((await upload({ keyFile: undefined })).error).to.equal(undefined)
        expect(isThere()).to.equal(true)
      } finally {
        const ended = new Promise((resolve) => agent.once('exit', resolve))
        agent.kill()
        await ended
      }
      const gone = await upload({ keyFile: undefined }, { pauses: [60_000] })
      expect(gone.error, 'it has ended').to.include({ code: 'UPLOAD_KEY_MISSING', category: 'configuration' })
      expect(gone.error?.message).to.include('agent')
      process.env.SSH_AUTH_SOCK = ''
      expect((await upload({ keyFile: undefined })).error).to.include({ code: 'UPLOAD_KEY_MISSING' })
    })
  })

  it('is tried again where nobody answers, and then given up', async () => {
    const [port = 0] = await freePorts(1)
    const warnings: string[] = []
    const context = { ...silent, report: { ...silent.report, warn: (text: string) => void warnings.push(text) } }
    const { error } = await upload({ port }, { pauses: [5, 5] }, context)
    expect(error).to.include({ code: 'UPLOAD_UNREACHABLE', category: 'infrastructure' })
    expect(warnings).to.have.length(2)
    expect((await upload({ host: 'no-such-host.invalid' })).error).to.include({ code: 'UPLOAD_UNREACHABLE' })
  })

  it('is given up where something else answers, and where the SFTP server hangs', async () => {
    const web = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
    })
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
    try {
      const { port } = web.address() as AddressInfo
      expect((await upload({ port })).error).to.include({ code: 'UPLOAD_UNREACHABLE' })
    } finally {
      web.close()
    }
    let stopped = 0
    const stopping: Context = {
      ...silent,
      report: { ...silent.report, progress: () => process.kill((stopped = host.sftpServer()), 'SIGSTOP') },
    }
    const { error } = await upload({}, { silence: 400 }, stopping)
    process.kill(stopped, 'SIGKILL')
    expect(error).to.include({ code: 'UPLOAD_LOST', category: 'infrastructure' })
    expect(error?.message).to.include('has not answered')
  })

  it('ends when the upload is stopped on request', async () => {
    const controller = new AbortController()
    const context: Context = {
      signal: controller.signal,
      report: { ...silent.report, progress: () => controller.abort() },
    }
    expect(await failure(() => upload({}, {}, context))).to.include({ code: 'ABORTED', category: 'aborted' })
    expect(await failure(() => upload({}, {}, context)), 'before it begins').to.include({ code: 'ABORTED' })
    expect(isThere(), 'packages came first').to.equal(false)
    expect((await upload()).error).to.equal(undefined)
  })

  it('goes through sshd’s own SFTP server, in a directory that the user is locked into', async () => {
    const locked = await startWebHost({
      parent: '/run',
      settings: (top) => [
        'Subsystem sftp internal-sftp -u 077',
        'ForceCommand internal-sftp -u 077',
        `ChrootDirectory ${top}`,
      ],
    })
    try {
      chmodSync(join(locked.top, '..'), 0o755)
      const report = await uploadTree(
        what,
        { ...locked.config, directory: '/srv' },
        { graceSeconds: 0, pauses: [] },
        silent,
      )
      expect(report.error).to.equal(undefined)
      expect(trouble(join(locked.top, 'extra'))).to.equal(undefined)
      const modes = execFileSync('find', [join(locked.top, 'extra'), '-printf', '%y%m\n'], { encoding: 'utf8' })
      expect(new Set(modes.trim().split('\n')), 'for a web server, whatever the umask').to.have.keys('d755', 'f644')
    } finally {
      await locked.stop()
    }
  })

  it('takes the top of what the user is locked into for a directory', async () => {
    const locked = await startWebHost({
      parent: '/run',
      settings: (top) => ['Subsystem sftp internal-sftp', 'ForceCommand internal-sftp', `ChrootDirectory ${top}/srv`],
    })
    try {
      // sshd demands that the top is root’s own
      execFileSync('chown', ['root', locked.top])
      mkdirSync(join(locked.top, 'extra'))
      chownSync(join(locked.top, 'extra'), locked.account.uid, locked.account.gid)
      const report = await uploadTree(
        what,
        { ...locked.config, directory: '/' },
        { graceSeconds: 0, pauses: [] },
        silent,
      )
      expect(report.error).to.equal(undefined)
      expect(trouble(join(locked.top, 'extra'))).to.equal(undefined)
    } finally {
      await locked.stop()
    }
  })

  it('is refused to a server that cannot replace a file in one step, or has no SFTP', async () => {
    for (const [code, options] of [
      ['UPLOAD_NOT_ATOMIC', { sftp: '-P posix-rename' }],
      ['UPLOAD_NO_SFTP', { settings: () => ['Subsystem none /bin/false'] }],
      ['UPLOAD_NO_SFTP', { settings: () => ['Subsystem sftp /bin/sh -c "yes welcome"'] }],
    ] as const) {
      const without = await startWebHost(options)
      try {
        const { error } = await uploadTree(what, without.config, { graceSeconds: 0, pauses: [] }, silent)
        expect(error).to.include({ code, category: 'configuration' })
        const files = execFileSync('find', [without.top, '-type', 'f'], { encoding: 'utf8' })
        expect(files).to.equal('')
      } finally {
        await without.stop()
      }
    }
  })

  it('says that the disk there is full, leaves no half of a file, and goes on when there is room', async () => {
    const full = await startWebHost()
    const mount = (options: string): void => {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `${options},uid=${full.account.uid}`, 'tmpfs', full.top])
    }
    mount('size=1m')
    try {
      what = generation(directory(), 2, { 'a-1-1': 'a one', 'big-1-1': 'x'.repeat(3_000_000), 'z-1-1': 'z' })
      const send = () => uploadTree(what, full.config, { graceSeconds: 0, pauses: [] }, silent)
      const { error } = await send()
      expect(error).to.include({ code: 'UPLOAD_DISK_FULL', category: 'publish' })
      expect(error?.message).to.include('big-1-1')
      const found = execFileSync('find', [full.top, '-name', '*big*', '-o', '-name', 'extra.db*'], { encoding: 'utf8' })
      expect(found).to.equal('')
      execFileSync('mount', ['-o', 'remount,size=8m', full.top])
      expect((await send()).error).to.equal(undefined)
      expect(trouble(join(full.top, 'extra'))).to.equal(undefined)
    } finally {
      execFileSync('umount', [full.top])
      mkdirSync(full.top, { recursive: true })
      await full.stop()
    }
  })
})
