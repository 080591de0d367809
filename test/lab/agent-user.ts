import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, copyFileSync, chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { join } from 'node:path'

const bundle = fileURLToPath(new URL('../../dist/treeswap-root.mjs', import.meta.url))

/**
 * A throw-away user of this host who may call the root program, with a configuration of its own, through the real
 * sudo: what an unprivileged Jenkins agent is.
 */
export class AgentUser {
  readonly name = `treeswap-t${randomBytes(3).toString('hex')}`
  readonly uid: number
  readonly gid: number
  /** the program as the administrator installed it, and the only arguments that its sudo rule allows */
  readonly program: [string, string, string]
  private readonly sudoers: string

  constructor() {
    execFileSync('useradd', ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', this.name])
    const id = (option: string): number => Number(execFileSync('id', [option, this.name], { encoding: 'utf8' }))
    this.uid = id('-u')
    this.gid = id('-g')
    this.program = [`/usr/local/sbin/${this.name}`, '--config', `/etc/${this.name}/root.yaml`]
    copyFileSync(bundle, this.program[0])
    chmodSync(this.program[0], 0o755)
    mkdirSync(`/etc/${this.name}`)
    this.sudoers = `/etc/sudoers.d/${this.name}`
    this.allow(this.program.join(' '))
  }

  /** Replaces the sudo rule. */
  allow(commandLine: string): void {
    writeFileSync(this.sudoers, `${this.name} ALL=(root) NOPASSWD: ${commandLine}\n`, { mode: 0o440 })
    execFileSync('visudo', ['-c', '-q', '-f', this.sudoers])
  }

  configure(text: string): void {
    writeFileSync(this.program[2], text)
  }

  /** A command line that runs as this user. */
  as(...command: string[]): string[] {
    return ['setpriv', '--reuid', String(this.uid), '--regid', String(this.gid), '--clear-groups', '--', ...command]
  }

  /** How this user gets the root program to run. */
  get sudo(): string[] {
    return this.as('sudo', '-n')
  }

  start(command: string[], env: NodeJS.ProcessEnv = process.env): ChildProcess {
    const [file = '', ...args] = this.as(...command)
    return spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], env, cwd: '/' })
  }

  /** Makes a directory that belongs to this user. */
  makeDirectory(...parts: string[]): string {
    const path = join(...parts)
    mkdirSync(path)
    chownSync(path, this.uid, this.gid)
    return path
  }

  remove(): void {
    rmSync(this.sudoers, { force: true })
    rmSync(`/etc/${this.name}`, { recursive: true, force: true })
    rmSync(this.program[0], { force: true })
    execFileSync('userdel', [this.name], { stdio: 'ignore' })
  }
}
