import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GitRepo } from '../lab/git-repo.js'
import { pacmanBuilderRoot } from '../lab/pacman-root.js'
import { pkgbuild } from '../lab/pkgbuild.js'
import { runTreeswap } from '../lab/run-treeswap.js'
import type { TreeswapOptions, TreeswapRun } from '../lab/run-treeswap.js'
import { writeFiles } from '../lab/temporary.js'

/** What `treeswap run --json` says of a pacman repo. */
export interface RepoRun {
  name: string
  status: 'built' | 'published' | 'unchanged' | 'failed'
  number?: number
  recipes: { base: string; status: string; version?: string; reason?: string; code?: string; hint?: string }[]
  partial: boolean
  error?: { code: string; message: string; hint: string }
}

/** What of a site's configuration is not the repo's. */
export interface SiteOptions {
  /** port of this host at which clients are served */
  http?: number
  /** whole sections, YAML; PATH stands for the site's directory */
  sections?: string
}

/** A builder and a publisher on this host, for one pacman repo `own`, in a directory of their own. */
export class ArchSite {
  private readonly repos = new Map<string, GitRepo>()

  private constructor(
    readonly directory: string,
    private readonly options: SiteOptions,
  ) {}

  private static readonly all: ArchSite[] = []

  /** For `after`. */
  static removeAll(): void {
    for (const site of ArchSite.all.splice(0)) {
      execFileSync('rm', ['-rf', '--one-file-system', site.directory])
    }
  }

  /** @param settings of the repo `own`, YAML; PATH stands for the site's directory */
  static async create(settings: string, options: SiteOptions = {}): Promise<ArchSite> {
    const site = new ArchSite(mkdtempSync(join(tmpdir(), 'treeswap-arch-')), options)
    ArchSite.all.push(site)
    site.configure(settings, await pacmanBuilderRoot(() => undefined))
    return site
  }

  private root = ''

  configure(settings: string, root = this.root): void {
    this.root = root
    const { http = 1, sections = '' } = this.options
    const own = settings.replaceAll('PATH', this.directory).trim().replaceAll('\n', '\n    ')
    writeFiles(this.directory, {
      'treeswap.yaml': `schema: 1
publisher: { root: ${this.path('srv')}, http: 'http://127.0.0.1:${http}', grace: 1h }
builder: { directory: ${this.path('builder')} }
chroots:
  own: { from: ${root} }
pacman:
  own:
    ${own}
${sections.replaceAll('PATH', this.directory)}
`,
    })
  }

  path(...parts: string[]): string {
    return join(this.directory, ...parts)
  }

  /** Makes files the next commit of the git repository NAME; null removes one. */
  async commit(name: string, files: Record<string, string | null>): Promise<void> {
    const directory = this.path('git', name)
    mkdirSync(directory, { recursive: true })
    for (const [path, content] of Object.entries(files)) {
      if (content === null) rmSync(join(directory, path), { recursive: true })
      else {
        mkdirSync(join(directory, path, '..'), { recursive: true })
        writeFileSync(join(directory, path), content)
      }
    }
    const repo = this.repos.get(name)
    if (repo === undefined) this.repos.set(name, await GitRepo.create(directory))
    else await repo.commit('Change')
  }

  tag(name: string, tag: string): void {
    execFileSync('git', ['-C', this.path('git', name), 'tag', tag])
  }

  async start(args: readonly string[], options: TreeswapOptions = {}): Promise<TreeswapRun> {
    return await runTreeswap([...args, '--config', this.path('treeswap.yaml'), '--json'], options)
  }

  /** What `treeswap run` says of the repo. */
  async run(): Promise<RepoRun & { exitCode: number; told: string[] }> {
    const result = await this.start(['run'])
    const [repo] = (result.document() as { pacman: RepoRun[] }).pacman
    if (repo === undefined) throw new Error(result.stdout)
    return { ...repo, exitCode: result.exitCode, told: result.told }
  }
}

/** A recipe that makes one small file. */
export function recipe(name: string, more: { version?: string; lines?: string } = {}): string {
  const { version = '1.0', lines = '' } = more
  const making = `${lines}
package() {
  install -d "$pkgdir/usr/share/${name}"
  echo "$pkgver" > "$pkgdir/usr/share/${name}/version"
}`
  return pkgbuild(name, version, making, { architecture: 'any' })
}
