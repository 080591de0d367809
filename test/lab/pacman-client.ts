/** An Arch-like machine that takes what a publisher serves, by its normal commands only. It has no compiler. */
import { execFileSync } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Told } from './debian-root.js'
import { runInRoot } from './nspawn.js'
import type { Ran } from './nspawn.js'
import { pacmanClientRoot } from './pacman-root.js'

/** What `treeswap config pacman --json` prints for a client. */
export interface PacmanConfiguration {
  section: string
  commands: { what: string; argv: string[] }[]
}

export class PacmanClient {
  private constructor(
    readonly root: string,
    private readonly onLine: (line: string) => void,
    private readonly signal: AbortSignal,
  ) {}

  static async create(
    root: string,
    tell: Told,
    onLine: (line: string) => void,
    signal: AbortSignal,
  ): Promise<PacmanClient> {
    const from = await pacmanClientRoot(tell)
    mkdirSync(dirname(root), { recursive: true })
    execFileSync('cp', ['-a', '--reflink=auto', from, root])
    return new PacmanClient(root, onLine, signal)
  }

  /** As an administrator who follows what is printed; scripts answer no questions. */
  async configure({ section, commands }: PacmanConfiguration): Promise<void> {
    mkdirSync(join(this.root, 'etc/pacman.d'), { recursive: true })
    appendFileSync(join(this.root, 'etc/pacman.conf'), `\n${section}`)
    for (const { argv } of commands) await this.run(withoutQuestions(argv))
  }

  /** Puts other servers in the place of those that the configuration names. */
  replaceInConfiguration(from: string, to: string): void {
    const file = join(this.root, 'etc/pacman.conf')
    writeFileSync(file, readFileSync(file, 'utf8').replaceAll(from, to))
  }

  async pacman(...args: string[]): Promise<Ran> {
    return await this.run(['pacman', '--noconfirm', '--noprogressbar', ...args])
  }

  /** The same where it may fail. */
  async tryPacman(...args: string[]): Promise<Ran> {
    return await this.ask(['pacman', '--noconfirm', '--noprogressbar', ...args])
  }

  /** @throws where the program fails */
  async run(argv: readonly string[]): Promise<Ran> {
    const ran = await this.ask(argv)
    if (ran.exitCode === 0) return ran
    throw new Error(
      `the client's ${argv.join(' ')} ended with exit code ${ran.exitCode}:\n${ran.lines.slice(-30).join('\n')}`,
    )
  }

  /** Version of each installed package. */
  async installed(): Promise<Record<string, string>> {
    const { lines } = await this.run(['pacman', '-Q'])
    const pairs = lines.flatMap((line) => {
      const [name = '', version, ...rest] = line.split(' ')
      return version === undefined || rest.length > 0 ? [] : [[name, version] as const]
    })
    return Object.fromEntries(pairs)
  }

  has(path: string): boolean {
    return existsSync(join(this.root, path))
  }

  read(path: string): string {
    return readFileSync(join(this.root, path), 'utf8')
  }

  private async ask(argv: readonly string[]): Promise<Ran> {
    return await runInRoot(this.root, argv, { onLine: this.onLine, signal: this.signal })
  }
}

function withoutQuestions(argv: readonly string[]): string[] {
  const [program = '', ...args] = argv
  return program === 'pacman' ? [program, '--noconfirm', '--noprogressbar', ...args] : [program, ...args]
}
