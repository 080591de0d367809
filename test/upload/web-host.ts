/** A plain web host, on this one: a real sshd on 127.0.0.1, and a user with a directory of its own. */
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { UploadConfig } from '../../src/config/uploads.js'
import { freePorts } from '../lab/ports.js'
import { startSshd } from '../lab/sshd.js'
import { makeKey } from '../pipeline/publisher-host.js'
import type { Account } from '../pipeline/publisher-host.js'

export interface WebHost {
  port: number
  /** types and keys of the host, as in known_hosts */
  hostKeys: Record<'ed25519' | 'rsa' | 'ecdsa', string>
  account: Account
  /** what its web server would serve: the account's */
  top: string
  keyFile: string
  /** how it is uploaded to */
  config: UploadConfig
  /** what the SFTP server did since the last look: names from the top on */
  done(): Done
  /** removes all that uploads brought */
  empty(): void
  /** process id of the SFTP server that is running */
  sftpServer(): number
  sshdLog(): string
  stop(): Promise<void>
}

interface Done {
  /** bytes of each file that was written, by the name it got */
  written: Record<string, number>
  /** in the order in which they were put in place */
  renamed: string[]
  removed: string[]
  linked: string[]
  madeDirectories: string[]
}

export interface WebHostOptions {
  /** arguments of sftp-server, such as what it is not to offer */
  sftp?: string
  /** lines of sshd_config; a Subsystem line replaces the one that keeps a log */
  settings?: (directory: string) => readonly string[]
  /** directory in which all of it lies; sshd locks nobody in below one that others may write to, as /tmp */
  parent?: string
}

const hostKeyTypes = ['ed25519', 'rsa', 'ecdsa'] as const

let users = 0

export async function startWebHost({
  sftp = '',
  settings = () => [],
  parent = tmpdir(),
}: WebHostOptions = {}): Promise<WebHost> {
  const directory = mkdtempSync(join(parent, 'treeswap-web-'))
  chmodSync(directory, 0o755)
  const account = addUser(`tsw-web-${process.pid}-${users++}`, join(directory, 'home'))
  const top = join(directory, 'srv')
  mkdirSync(top)
  chownSync(top, account.uid, account.gid)
  const keyFile = makeKey(join(directory, 'id'), { uid: 0, gid: 0 })
  authorize(account, readFileSync(`${keyFile}.pub`, 'utf8'))
  const sftpLog = join(directory, 'sftp.log')
  writeFileSync(sftpLog, '')
  chownSync(sftpLog, account.uid, account.gid)
  const server = join(directory, 'sftp-server')
  writeFileSync(server, `#!/bin/sh\nexec /usr/lib/openssh/sftp-server -e -l INFO ${sftp} 2>>${sftpLog}\n`, {
    mode: 0o755,
  })
  const [port = 0] = await freePorts(1)
  const keys = hostKeyTypes.map((type) => makeKey(join(directory, `host_${type}`), { uid: 0, gid: 0 }, type))
  const more = settings(directory)
  const { log, stop } = await startSshd(directory, [
    `ListenAddress 127.0.0.1:${port}`,
    ...keys.map((key) => `HostKey ${key}`),
    `AllowUsers ${account.name}`,
    'MaxStartups 100',
    ...(more.some((line) => line.startsWith('Subsystem')) ? [] : [`Subsystem sftp ${server}`]),
    ...more,
  ])
  const [ed25519 = '', rsa = '', ecdsa = ''] = keys.map((key) =>
    readFileSync(`${key}.pub`, 'utf8').split(' ').slice(0, 2).join(' '),
  )
  return {
    port,
    hostKeys: { ed25519, rsa, ecdsa },
    account,
    top,
    keyFile,
    config: {
      name: 'mirror',
      host: '127.0.0.1',
      port,
      user: account.name,
      directory: top,
      keyFile,
      trusted: { hostKey: ed25519 },
      symlinks: false,
    },
    done: () => {
      const text = readFileSync(sftpLog, 'utf8')
      truncateSync(sftpLog)
      return read(text, top)
    },
    empty: () => {
      for (const name of readdirSync(top)) rmSync(join(top, name), { recursive: true })
    },
    sftpServer: () =>
      Number(execFileSync('pgrep', ['-u', account.name, '-f', 'openssh/sftp-server'], { encoding: 'utf8' })),
    sshdLog: log,
    stop: async () => {
      await stop()
      execFileSync('userdel', ['--force', account.name], { stdio: 'ignore' })
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

function read(log: string, top: string): Done {
  const done: Done = { written: {}, renamed: [], removed: [], linked: [], madeDirectories: [] }
  const inside = (path = ''): string => path.slice(top.length + 1)
  const bytes = new Map<string, number>()
  for (const line of log.split(/\r?\n/)) {
    const close = /close "(.*)" bytes read \d+ written (\d+)/.exec(line)
    if (close && Number(close[2]) > 0) bytes.set(close[1]!, Number(close[2]))
    const rename = /posix-rename old "(.*)" new "(.*)"/.exec(line)
    if (rename) {
      done.renamed.push(inside(rename[2]))
      done.written[inside(rename[2])] = bytes.get(rename[1]!) ?? 0
    }
    const remove = /remove name "(.*)"/.exec(line)
    if (remove) done.removed.push(inside(remove[1]))
    const link = /hardlink old ".*" new "(.*)"/.exec(line)
    if (link) done.linked.push(inside(link[1]))
    const made = /mkdir name "(.*)" mode/.exec(line)
    if (made) done.madeDirectories.push(inside(made[1]))
  }
  return done
}

function addUser(name: string, home: string): Account {
  const options = ['--system', '--user-group', '--shell', '/bin/sh', '--create-home', '--home-dir', home]
  execFileSync('useradd', [...options, '--password', '*', name])
  const [uid = 0, gid = 0] = ['-u', '-g'].map((option) => Number(execFileSync('id', [option, name])))
  chmodSync(home, 0o755)
  return { name, uid, gid, home }
}

function authorize({ home, uid, gid }: Account, publicKey: string): void {
  mkdirSync(join(home, '.ssh'), { mode: 0o700 })
  const file = join(home, '.ssh/authorized_keys')
  writeFileSync(file, `restrict ${publicKey}`, { mode: 0o600 })
  for (const path of [join(home, '.ssh'), file]) chownSync(path, uid, gid)
}
