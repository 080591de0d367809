/** A Gentoo machine that takes what a publisher serves, by its normal commands only. It has no compiler. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { runInRoot } from './nspawn.js'
import type { Ran } from './nspawn.js'
import { clientRoot } from './portage-root.js'
import type { Told } from './debian-root.js'

/** What an emerge call did, by its own words; packages as CATEGORY/PF. */
export interface Emerged {
  fromBinary: string[]
  compiled: string[]
  removed: string[]
}

export class Client {
  private constructor(
    readonly root: string,
    private readonly onLine: (line: string) => void,
    private readonly signal: AbortSignal,
  ) {}

  static async create(root: string, tell: Told, onLine: (line: string) => void, signal: AbortSignal): Promise<Client> {
    const from = await clientRoot(tell)
    mkdirSync(dirname(root), { recursive: true })
    execFileSync('cp', ['-a', '--reflink=auto', from, root])
    return new Client(root, onLine, signal)
  }

  /** Puts configuration files where an administrator would. */
  writeFiles(files: readonly { path: string; content: string }[]): void {
    for (const { path, content } of files) {
      const file = join(this.root, path)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, content)
    }
  }

  path(inside: string): string {
    return join(this.root, inside)
  }

  /** A command as an administrator types it. @throws where it fails */
  async type(command: string): Promise<Ran> {
    return await this.run(['sh', '-c', command])
  }

  /** @throws where the program fails */
  async run(argv: readonly string[]): Promise<Ran> {
    const ran = await runInRoot(this.root, argv, { onLine: this.onLine, signal: this.signal })
    if (ran.exitCode === 0) return ran
    throw new Error(
      `the client's ${argv.join(' ')} ended with exit code ${ran.exitCode}:\n${ran.lines.slice(-30).join('\n')}`,
    )
  }

  /** CATEGORY/PF of what is installed. */
  installed(): string[] {
    const database = this.path('var/db/pkg')
    if (!existsSync(database)) return []
    return readdirSync(database)
      .flatMap((category) => readdirSync(join(database, category)).map((name) => `${category}/${name}`))
      .sort()
  }

  /** Content of a file. */
  read(path: string): string {
    return readFileSync(this.path(path), 'utf8')
  }

  has(path: string): boolean {
    return existsSync(this.path(path))
  }
}

const merging = /^>>> Emerging (binary )?\(\d+ of \d+\) ([^:\s]+)/
const removing = /^>>> Unmerging \(\d+ of \d+\) ([^:\s]+?)\.*$/

/** @param lines what emerge wrote */
export function emergedIn(lines: readonly string[]): Emerged {
  const emerged: Emerged = { fromBinary: [], compiled: [], removed: [] }
  for (const line of lines) {
    const [, binary, merged] = merging.exec(line) ?? []
    const removed = removing.exec(line)?.[1]
    if (merged !== undefined) emerged[binary === undefined ? 'compiled' : 'fromBinary'].push(merged)
    if (removed !== undefined) emerged.removed.push(removed)
  }
  return emerged
}
