import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { AgentUser } from '../lab/agent-user.js'
import { builderRoot } from '../lab/portage-root.js'
import { compiled, runTreeswap } from '../lab/run-treeswap.js'
import type { TreeswapOptions, TreeswapRun } from '../lab/run-treeswap.js'

/** What a site builds. */
export interface AgentTree {
  /** directory that the chroot is made from */
  root: string
  chroot: string
  /** of treeswap.yaml; PATH stands for the site's home */
  settings: string
}

const machine = `repos:
  gentoo: { url: PATH/git/gentoo }
machines:
  database:
    profile: { url: PATH/git/profile }
    repos: [gentoo]
    after: ['--depclean']
`

/** A builder that is not root, with the root program beside it; everything but the chroots belongs to its user. */
export class AgentSite {
  readonly user = new AgentUser()
  /** root's, in a place where nobody else can write */
  readonly top = mkdtempSync('/var/lib/treeswap-e2e-agent-')
  readonly home: string
  private readonly program: string

  private constructor(private readonly tree: AgentTree) {
    execFileSync('chmod', ['755', this.top])
    this.home = this.user.makeDirectory(this.top, 'home')
    for (const name of ['builder', 'git', 'srv']) this.user.makeDirectory(this.home, name)
    this.program = join(this.top, 'treeswap.mjs')
    copyFileSync(compiled, this.program)
    this.allow()
    writeFileSync(this.path('.gitconfig'), '[user]\nname = t\nemail = t@example.org\n')
    writeFileSync(
      this.path('treeswap.yaml'),
      `schema: 1
publisher: { root: ${this.path('srv')}, grace: 1h }
builder: { directory: ${this.path('builder')}, root-program: [${this.user.program.join(', ')}] }
${tree.settings.replaceAll('PATH', this.home)}`,
    )
  }

  /** @param tree default: the machine `database` */
  static async create(tree?: AgentTree): Promise<AgentSite> {
    if (tree !== undefined) return new AgentSite(tree)
    const root = await builderRoot(() => undefined)
    return new AgentSite({ root, chroot: 'database', settings: machine })
  }

  /** Writes the administrator's configuration. */
  allow(chroots = `${this.tree.chroot}: { from: ${this.tree.root}, network: true }`): void {
    this.user.configure(`schema: 1
user: ${this.user.name}
directory: ${join(this.top, 'chroots')}
binds: [${this.path('builder')}]
chroots: { ${chroots} }
`)
  }

  path(...parts: string[]): string {
    return join(this.home, ...parts)
  }

  /** Makes what lies in git/NAME the newest commit of that repository. */
  commit(name: string): void {
    const directory = this.path('git', name)
    mkdirSync(directory, { recursive: true })
    execFileSync('chown', ['--recursive', `${this.user.uid}:${this.user.gid}`, directory])
    const git = (...args: string[]) => {
      const [file = '', ...rest] = this.user.as('env', `HOME=${this.home}`, 'git', '-C', directory, ...args)
      execFileSync(file, rest)
    }
    if (!existsSync(join(directory, '.git'))) git('init', '--quiet', '--initial-branch=main')
    git('add', '--all')
    git('commit', '--quiet', '--allow-empty', '-m', 'change')
  }

  /** Runs treeswap as the agent's user. */
  async run(args: readonly string[], options: TreeswapOptions = {}): Promise<TreeswapRun> {
    return runTreeswap([...args, '--config', this.path('treeswap.yaml'), '--json'], {
      ...options,
      cwd: this.home,
      program: this.program,
      under: this.user.as('env', `HOME=${this.home}`),
    })
  }

  async succeed<T>(...args: string[]): Promise<T> {
    const result = await this.run(args)
    if (result.exitCode === 0) return result.document() as T
    throw new Error(`treeswap ${args.join(' ')}: ${result.exitCode}\n${result.stdout}\n${result.told.join('\n')}`)
  }

  /** Process ids of runners. */
  runners(): number[] {
    return processes()
      .filter(({ line, uid }) => uid === this.user.uid && line.includes(this.program) && line.startsWith('/usr'))
      .map(({ pid }) => pid)
  }

  /** Command lines of processes in containers of this site's roots. */
  contained(): string[] {
    const base = this.uidBase()
    return processes().flatMap(({ uid, line }) => (uid >= base && uid < base + 65_536 ? [line] : []))
  }

  /** Command lines of everything that has to do with this site; mounts in namespaces live as long as these. */
  running(): string[] {
    const own = processes().filter(
      ({ pid, line, uid }) =>
        uid === this.user.uid ||
        line.includes(this.top) ||
        line.includes(this.user.name) ||
        cwdOf(pid).includes(this.top),
    )
    return [...own.map(({ line }) => line), ...this.contained()]
  }

  mounts(): string[] {
    return readIfThere('/proc/self/mountinfo')
      .split('\n')
      .filter((line) => line.includes(this.top))
  }

  head(): string {
    return readFileSync(join(this.top, 'chroots', this.tree.chroot, 'head.json'), 'utf8')
  }

  uidBase(): number {
    const text = readIfThere(join(this.top, 'chroots', this.tree.chroot, 'root.json'))
    return text === '' ? Infinity : (JSON.parse(text) as { uidBase: number }).uidBase
  }

  remove(): void {
    execFileSync('rm', ['-rf', '--one-file-system', this.top])
    this.user.remove()
  }
}

function processes(): { pid: number; uid: number; line: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => ({
      pid: Number(pid),
      uid: Number(/^Uid:\t(\d+)/m.exec(readIfThere(`/proc/${pid}/status`))?.[1] ?? -1),
      line: readIfThere(`/proc/${pid}/cmdline`).replaceAll('\0', ' '),
    }))
}

function cwdOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ''
  }
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
