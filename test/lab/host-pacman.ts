import { execFileSync, spawn, spawnSync } from 'node:child_process'
import type { SpawnSyncReturns } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Context } from 'mocha'

/** For `before`: skips the suite where there is no pacman, and says so. */
export function needsPacman(this: Context): void {
  if (spawnSync('pacman', ['--version']).status === 0) return
  console.log('      needs pacman: install pacman-package-manager to include this')
  this.skip()
}

export interface PacmanRan {
  exitCode: number | null
  /** standard output and standard error */
  output: string
}

/** A client with a root, databases and a keyring of its own; the host's are not touched. */
export class HostPacman {
  constructor(
    private readonly place: string,
    private readonly repos: readonly { name: string; server: string; sigLevel?: string }[],
  ) {
    for (const name of ['root', 'db', 'cache', 'hooks', 'home']) mkdirSync(join(place, name), { recursive: true })
    mkdirSync(join(place, 'gnupg'), { mode: 0o700 })
    const options = {
      RootDir: 'root',
      DBPath: 'db',
      CacheDir: 'cache',
      GPGDir: 'gnupg',
      HookDir: 'hooks',
      LogFile: 'pacman.log',
    }
    const own = Object.entries(options).map(([key, path]) => `${key} = ${join(place, path)}\n`)
    const sections = this.repos.map(
      ({ name, server, sigLevel = 'Never' }) => `[${name}]\nSigLevel = ${sigLevel}\nServer = ${server}\n`,
    )
    writeFileSync(join(place, 'pacman.conf'), `[options]\n${own.join('')}Architecture = x86_64\n${sections.join('')}`)
  }

  /** Takes a public key for trustworthy, as `pacman-key --add` and `--lsign-key` do. */
  trust(publicKey: string, fingerprint: string): void {
    const gpg = ['--homedir', join(this.place, 'gnupg'), '--batch', '--quiet', '--no-tty']
    execFileSync('gpg', [...gpg, '--import', publicKey], { stdio: 'pipe' })
    execFileSync('gpg', [...gpg, '--import-ownertrust'], { input: `${fingerprint}:6:\n`, stdio: 'pipe' })
    execFileSync('gpg', [...gpg, '--check-trustdb'], { stdio: 'pipe' })
  }

  /** Runs pacman as an administrator would, answering yes. */
  run(...args: string[]): PacmanRan {
    const { status, stdout, stderr } = this.spawn(args)
    return { exitCode: status, output: stdout + stderr }
  }

  /** The same where its server is in this process. */
  async runAside(...args: string[]): Promise<PacmanRan> {
    const [file, rest, env] = this.command(args)
    const child = spawn(file, rest, { env, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)))
    return await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (exitCode) => {
        resolve({ exitCode, output })
      })
    })
  }

  /** NAME VERSION of what is installed. */
  installed(): string[] {
    return this.spawn(['-Q'])
      .stdout.split('\n')
      .filter((line) => line !== '')
  }

  private spawn(args: string[]): SpawnSyncReturns<string> {
    const [file, rest, env] = this.command(args)
    return spawnSync(file, rest, { env, encoding: 'utf8' })
  }

  private command(args: readonly string[]): [string, string[], Record<string, string>] {
    const root = process.getuid?.() === 0 ? [] : ['unshare', '--map-root-user']
    const options = ['--config', join(this.place, 'pacman.conf'), '--noconfirm', '--color', 'never']
    const [file = '', ...rest] = [...root, 'pacman', ...options, ...args]
    return [file, rest, { PATH: process.env.PATH ?? '', HOME: join(this.place, 'home'), LC_ALL: 'C' }]
  }
}
