/** A host that publishes, on this one: a real sshd on 127.0.0.1, two users of their own, two directories. */
import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePorts } from '../lab/ports.js'
import { startSshd } from '../lab/sshd.js'

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
  const hostKeyFile = makeKey(join(directory, 'ssh_host_ed25519_key'), { uid: 0, gid: 0 })
  const [type = '', base64 = ''] = readFileSync(`${hostKeyFile}.pub`, 'utf8').split(' ')
  // as a distribution has it, but for what would read the host's own files: it forwards whatever a key allows
  const { log, stop } = await startSshd(directory, [
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${hostKeyFile}`,
    `AllowUsers ${publisher.name}`,
    'AllowTcpForwarding yes',
    'AllowAgentForwarding yes',
    'PermitTTY yes',
    'Subsystem sftp internal-sftp',
  ])
  return {
    port,
    hostKey: `${type} ${base64}`,
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
