import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { builderRoot } from '../lab/portage-root.js'
import { runTreeswap } from '../lab/run-treeswap.js'
import type { TreeswapOptions, TreeswapRun } from '../lab/run-treeswap.js'
import { writeFiles } from '../lab/temporary.js'

/** A builder and a publisher on this host, for one machine `database`, in a directory of their own. */
export class Site {
  private constructor(readonly directory: string) {}

  private static readonly all: Site[] = []

  /** For `after`: removes what a suite made, also where it was skipped or broke off. */
  static removeAll(): void {
    for (const site of Site.all.splice(0)) site.remove()
  }

  static async create(
    settings: { root?: string; repo?: string; machine?: string; after?: string } = {},
  ): Promise<Site> {
    const site = new Site(mkdtempSync(join(tmpdir(), 'treeswap-e2e-')))
    Site.all.push(site)
    const root = settings.root ?? (await builderRoot(() => undefined))
    writeFiles(site.directory, {
      'treeswap.yaml': `schema: 1
publisher: { root: ${site.path('srv')}, http: 'http://127.0.0.1:1', grace: 1h }
builder: { directory: ${site.path('builder')} }
chroots:
  database: { from: ${root} }
repos:
  gentoo:
    url: ${site.path('git/gentoo')}
${settings.repo ?? ''}
machines:
  database:
    profile: { url: ${site.path('git/profile')} }
    repos: [gentoo]
    after: ${settings.after ?? "['--depclean']"}
${settings.machine ?? ''}`,
    })
    return site
  }

  path(...parts: string[]): string {
    return join(this.directory, ...parts)
  }

  /** Makes what lies in git/NAME the newest commit of that repository. */
  commit(name: string): void {
    const git = (...args: string[]) => execFileSync('git', ['-C', this.path('git', name), ...args])
    if (!existsSync(this.path('git', name, '.git'))) git('init', '--quiet', '--initial-branch=main')
    git('add', '--all')
    git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '--quiet', '--allow-empty', '-m', 'change')
  }

  /** Runs treeswap with this site's configuration. */
  async run(...args: string[]): Promise<TreeswapRun> {
    return this.start(args, {})
  }

  /** The same, with an eye on what it says and a way to stop it. */
  async start(args: readonly string[], options: TreeswapOptions): Promise<TreeswapRun> {
    return runTreeswap([...args, '--config', this.path('treeswap.yaml'), '--json'], options)
  }

  /** Runs treeswap and returns its document; fails with everything it said where it does not succeed. */
  async succeed<T>(...args: string[]): Promise<T> {
    const result = await this.run(...args)
    if (result.exitCode === 0) return result.document() as T
    throw new Error(
      `treeswap ${args.join(' ')}: exit code ${result.exitCode}\n${result.stdout}\n${result.told.join('\n')}`,
    )
  }

  /** The layers of the machine's root: they change when, and only when, a build was committed. */
  head(): string {
    return readFileSync(this.path('builder/chroots/database/head.json'), 'utf8')
  }

  artifacts(): string[] {
    const directory = this.path('builder/artifacts/database')
    return existsSync(directory) ? readdirSync(directory).sort() : []
  }

  /** Command lines of processes that have to do with this site. */
  processes(): string[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map((pid) => readIfThere(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))
      .filter((line) => line.includes(this.directory))
  }

  mounts(): string[] {
    return readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes(this.directory))
  }

  private remove(): void {
    execFileSync('rm', ['-rf', '--one-file-system', this.directory])
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
