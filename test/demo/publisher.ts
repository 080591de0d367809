/** The machine that builds and publishes: a directory, treeswap.yaml, servers, and `treeswap` itself. */
import { cpSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { stringify } from 'yaml'
import { freePorts } from '../lab/ports.js'
import type { Repos } from '../lab/repos.js'
import { runTreeswap } from '../lab/run-treeswap.js'
import type { TreeswapRun } from '../lab/run-treeswap.js'
import { directoryBlock, startNginx, startRsyncd } from '../lab/servers.js'
import type { Server } from '../lab/servers.js'
import { expectSame } from './expect.js'
import type { Stage } from './stage.js'

export const TREE = 'database'

export interface Ports {
  rsync: number
  http: number
  /** of the server of upstream sources */
  mirror: number
}

export interface MachineRun {
  status: 'built' | 'published' | 'unchanged' | 'failed'
  number: number
  build?: { compiled: string[]; reused: string[]; bytes: number; output: string }
  publication?: { serial: number; pulledBytes: number }
  error?: { code: string; message: string }
}

export async function choosePorts(): Promise<Ports> {
  const [rsync = 0, http = 0, mirror = 0] = await freePorts(3)
  return { rsync, http, mirror }
}

export class Publisher {
  private readonly servers: Server[] = []
  readonly root: string

  constructor(
    private readonly directory: string,
    private readonly ports: Ports,
    private readonly stage: Stage,
    private readonly signal: AbortSignal,
  ) {
    this.root = join(directory, 'publisher')
  }

  /**
   * @param from the root that builds start from
   * @returns what treeswap.yaml says
   */
  writeConfiguration(repos: Repos, from: string): object {
    const configuration = {
      schema: 1,
      publisher: {
        root: this.root,
        rsync: `rsync://127.0.0.1:${this.ports.rsync}`,
        http: `http://127.0.0.1:${this.ports.http}`,
        grace: '1h',
      },
      builder: { directory: join(this.directory, 'builder') },
      chroots: { [TREE]: { from } },
      repos: {
        gentoo: { url: repos.gentoo.directory, branch: 'main' },
        overlay: { url: repos.overlay.directory, branch: 'main' },
      },
      machines: {
        [TREE]: {
          profile: { url: repos.profile.directory, branch: 'main', path: TREE },
          repos: ['gentoo', 'overlay'],
          limits: { processes: 1024, time: '30m' },
        },
      },
    }
    writeFileSync(join(this.directory, 'treeswap.yaml'), stringify(configuration))
    this.stage.answer(stringify(configuration))
    return configuration
  }

  /** Runs and prints a treeswap command. @throws where its exit code is another than `exitCode` */
  async treeswap(args: readonly string[], exitCode = 0): Promise<TreeswapRun> {
    this.stage.command(['treeswap', ...args.map(quoted)].join(' '))
    const run = await runTreeswap(args, {
      cwd: this.directory,
      onLine: (line) => this.stage.progress(line),
      signal: this.signal,
    })
    if (run.exitCode === exitCode) return run
    throw new Error(
      `treeswap ${args.join(' ')} ended with exit code ${run.exitCode} instead of ${exitCode}:\n${run.stdout}${run.told.slice(-40).join('\n')}`,
    )
  }

  /** `treeswap run`. @returns what it says of the one machine */
  async run(exitCode = 0): Promise<MachineRun> {
    const { machines } = (await this.treeswap(['run', '--json'], exitCode)).document() as { machines: MachineRun[] }
    const [machine] = machines
    if (machine === undefined) throw new Error('treeswap run --json names no machine')
    if (machine.status !== 'failed') {
      const { number, status, build, publication } = machine
      this.stage.answer(
        `${TREE}@${number}: ${status}; compiled ${list(build?.compiled)}; reused ${list(build?.reused)}; generation ${publication?.serial ?? 'unchanged'}`,
      )
    }
    return machine
  }

  /** The servers that clients reach, from the configuration that treeswap prints; and one of upstream sources. */
  async serve(distfiles: string): Promise<void> {
    const rsyncd = await this.treeswap(['config', 'rsyncd'])
    const nginx = await this.treeswap(['config', 'nginx'])
    const mirror = join(this.directory, 'mirror')
    // the web server's user cannot look into root's cache
    cpSync(distfiles, mirror, { recursive: true })
    const blocks = [nginx.stdout, directoryBlock(this.ports.mirror, mirror)]
    this.servers.push(await startRsyncd(join(this.directory, 'rsyncd'), this.ports.rsync, rsyncd.stdout))
    this.servers.push(await startNginx(join(this.directory, 'nginx'), this.ports.http, blocks))
  }

  /** What the one pointer points to: changes with every publish. */
  pointer(): string {
    return readlinkSync(join(this.root, 'published', TREE))
  }

  /** Directory of the generation that clients get. */
  generation(): string {
    return join(this.root, 'published', this.pointer())
  }

  /** Size of the pack that carries a build's new binary packages, in bytes. */
  packagesPackBytes(run: MachineRun): number {
    return packsOf(run.build?.output ?? '').find(({ role }) => role === 'packages')?.size ?? 0
  }

  /** Size of all packs and manifests that the build before does not have, in bytes. */
  changedPackBytes(run: MachineRun): number {
    const output = run.build?.output ?? ''
    const before = new Set(packsOf(join(output, '..', String(run.number - 1))).map(({ sha256 }) => sha256))
    return packsOf(output)
      .filter(({ sha256 }) => !before.has(sha256))
      .reduce((sum, { size, manifest }) => sum + size + manifest.size, 0)
  }

  /** Size of the published binary packages of one version, in bytes. */
  binaryPackageBytes(name: string, version: string): number {
    const directory = join(this.generation(), '.binpkgs', name)
    const prefix = `${basename(name)}-${version}-`
    return readdirSync(directory)
      .filter((file) => file.startsWith(prefix))
      .reduce((sum, file) => sum + statSync(join(directory, file)).size, 0)
  }

  /** sha256 of a tar archive of the root that builds start from: names, contents, modes, owners. */
  async rootDigest(): Promise<string> {
    const script = 'tar --sort=name --mtime=@0 -C / -cf - etc usr var | sha256sum'
    const run = await this.treeswap(['chroot', 'shell', TREE, '--json', '--', 'sh', '-c', script])
    const { output } = run.document() as { output: string[] }
    const digest = output.map((line) => /^([0-9a-f]{64}) /.exec(line)?.[1]).find((found) => found !== undefined)
    if (digest === undefined) throw new Error(`no digest of the root: ${output.join('\n')}`)
    return digest
  }

  async stop(): Promise<void> {
    for (const server of this.servers) await server.stop()
  }

  logs(): string {
    return this.servers.map((server) => server.log()).join('\n')
  }
}

export function expectServed(run: MachineRun): void {
  expectSame('status of the run', run.status, 'built')
  expectSame('whether it was published', run.publication !== undefined, true)
}

interface Pack {
  role: string
  size: number
  sha256: string
  manifest: { size: number }
}

function packsOf(artifact: string): Pack[] {
  return (JSON.parse(readFileSync(join(artifact, 'build.json'), 'utf8')) as { packs: Pack[] }).packs
}

function quoted(argument: string): string {
  return /^[\w@%+=:,./-]+$/.test(argument) ? argument : `'${argument}'`
}

function list(names: readonly string[] | undefined): string {
  return names === undefined || names.length === 0 ? 'nothing' : names.join(', ')
}
