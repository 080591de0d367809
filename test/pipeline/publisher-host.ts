/** A host that publishes, on this one: a real sshd on 127.0.0.1, two users of their own, two directories. */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../lab/ports.js'

export interface Account {
  name: string
  uid: number
  gid: number
  home: string
}

export interface PublisherHost {
  port: number
  /** as `jenkins.publish-over.host-key` has it */
  hostKey: string
  /** everything that the publisher's user may write */
  root: string
  /** of the publisher; sshd is root's */
  publisher: Account
  /** who has the private key, and the artifacts */
  builder: Account
  artifacts: string
  /** the builder's */
  keyFile: string
  sshdLog(): string
  stop(): Promise<void>
}

/** @param forced what follows `treeswap publisher` in authorized_keys */
export async function startPublisherHost(directory: string): Promise<PublisherHost> {
  chmodSync(directory, 0o755)
  const program = join(directory, 'treeswap')
  copyFileSync(new URL('../../dist/treeswap.mjs', import.meta.url), program)
  chmodSync(program, 0o755)
  const publisher = addUser('tsw-publisher', join(directory, 'home-publisher'))
  const builder = addUser('tsw-builder', join(directory, 'home-builder'))
  const root = owned(join(directory, 'store'), publisher)
  const artifacts = owned(join(directory, 'artifacts'), builder)
  const keyFile = makeKey(join(builder.home, 'id'), builder)
  const config = join(directory, 'treeswap.yaml')
  writeFileSync(config, `schema: 1\npublisher: { root: ${root} }\nbuilder: { artifacts: 'dir:${artifacts}' }\n`)
  authorize(publisher, `${program} publisher --config ${config}`, readFileSync(`${keyFile}.pub`, 'utf8'))
  const [port = 0] = await freePorts(1)
  const { hostKey, log, stop } = await startSshd(directory, port, publisher)
  return {
    port,
    hostKey,
    root,
    publisher,
    builder,
    artifacts,
    keyFile,
    sshdLog: log,
    stop: async () => {
      await stop()
      for (const { name } of [publisher, builder]) execFileSync('userdel', ['--force', name], { stdio: 'ignore' })
    },
  }
}

/** As documented for the publisher: no password, and a shell, which sshd needs for the forced command. */
function addUser(prefix: string, home: string): Account {
  const name = `${prefix}-${process.pid}`
  const options = ['--system', '--user-group', '--shell', '/bin/sh', '--create-home', '--home-dir', home]
  execFileSync('useradd', [...options, '--password', '*', name])
  const [uid = 0, gid = 0] = ['-u', '-g'].map((option) => Number(execFileSync('id', [option, name])))
  chmodSync(home, 0o755)
  return { name, uid, gid, home }
}

function owned(path: string, { uid, gid }: Account): string {
  mkdirSync(path)
  chownSync(path, uid, gid)
  return path
}

/** @returns path of the private key; the public one lies beside it */
export function makeKey(file: string, { uid, gid }: Pick<Account, 'uid' | 'gid'>, type = 'ed25519'): string {
  execFileSync('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', 'test', '-f', file])
  chownSync(file, uid, gid)
  return file
}

function authorize({ home, uid, gid }: Account, command: string, publicKey: string): void {
  mkdirSync(join(home, '.ssh'), { mode: 0o700 })
  const file = join(home, '.ssh/authorized_keys')
  writeFileSync(file, `command="${command}",restrict ${publicKey}`, { mode: 0o600 })
  for (const path of [join(home, '.ssh'), file]) chownSync(path, uid, gid)
}

/** sshd as a distribution has it, but for what would read the host's own files. It forwards whatever a key allows. */
async function startSshd(
  directory: string,
  port: number,
  { name }: Account,
): Promise<{ hostKey: string; log: () => string; stop: () => Promise<void> }> {
  const key = makeKey(join(directory, 'ssh_host_ed25519_key'), { uid: 0, gid: 0 })
  const file = join(directory, 'sshd_config')
  const log = join(directory, 'sshd.log')
  const settings = [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${key}`,
    `AllowUsers ${name}`,
    'PidFile none',
    'StrictModes yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'AllowTcpForwarding yes',
    'AllowAgentForwarding yes',
    'PermitTTY yes',
    'Subsystem sftp internal-sftp',
    'LogLevel VERBOSE',
  ]
  writeFileSync(file, settings.join('\n') + '\n')
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '/usr/sbin/sshd', '-D', '-f', file, '-E', log], {
    stdio: 'ignore',
  })
  const read = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '')
  const exit = new Promise((resolve) => child.once('exit', resolve))
  for (let tries = 0; !read().includes('Server listening'); tries++) {
    if (child.exitCode !== null || tries > 200) throw new Error(`sshd did not start: ${read()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  const [type = '', base64 = ''] = readFileSync(`${key}.pub`, 'utf8').split(' ')
  return {
    hostKey: `${type} ${base64}`,
    log: read,
    stop: async () => {
      child.kill('SIGTERM')
      await exit
    },
  }
}
