/** The machine that builds, signs and publishes. */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { expectSame } from '../demo/expect.js'
import type { Stage } from '../demo/stage.js'
import { runTreeswap } from '../lab/run-treeswap.js'
import type { TreeswapRun } from '../lab/run-treeswap.js'
import { startNginx } from '../lab/servers.js'
import type { Server } from '../lab/servers.js'
import type { SigningKey } from '../lab/signing-key.js'
import type { WebHost } from '../upload/web-host.js'
import type { Distribution } from './recipes.js'

export const TREE = 'distro'

export interface RepoRun {
  status: 'built' | 'published' | 'unchanged' | 'failed'
  number: number
  recipes: { base: string; status: string; version?: string; reason?: string }[]
  partial: boolean
  publication?: { serial: number; pulledBytes: number }
}

export interface Ports {
  http: number
  /** of the server of releases */
  mirror: number
  /** of the plain web host */
  web: number
}

export class Publisher {
  private readonly servers: Server[] = []
  readonly root: string

  constructor(
    private readonly directory: string,
    readonly ports: Ports,
    private readonly stage: Stage,
    private readonly signal: AbortSignal,
  ) {
    this.root = join(directory, 'publisher')
  }

  writeConfiguration(distribution: Distribution, from: string, key: SigningKey, web: WebHost): void {
    const configuration = {
      schema: 1,
      publisher: { root: this.root, http: `http://127.0.0.1:${this.ports.http}`, grace: '1h' },
      builder: { directory: join(this.directory, 'builder') },
      chroots: { [TREE]: { from } },
      keys: { release: { fingerprint: key.fingerprint, public: key.public, secret: key.secret } },
      uploads: {
        web: {
          host: web.config.host,
          port: web.config.port,
          user: web.config.user,
          directory: web.config.directory,
          'key-file': web.keyFile,
          'host-key': web.hostKeys.ed25519,
        },
      },
      pacman: {
        [TREE]: {
          repositories: [{ url: distribution.path('recipes') }],
          programs: [{ url: distribution.path('greeter'), path: 'pkg', tags: 'v*' }],
          lists: [{ url: distribution.path('lists'), file: 'aurpackages', base: distribution.path('aur') }],
          packager: 'Demo <demo@example.org>',
          limits: { processes: 1024, time: '30m' },
          sign: 'release',
          upload: ['web'],
        },
      },
    }
    writeFileSync(join(this.directory, 'treeswap.yaml'), stringify(configuration))
    this.stage.answer(stringify(configuration))
  }

  /** Runs and prints a treeswap command. @throws where its exit code is another than `exitCode` */
  async treeswap(args: readonly string[], exitCode = 0): Promise<TreeswapRun> {
    this.stage.command(['treeswap', ...args].join(' '))
    const run = await runTreeswap(args, {
      cwd: this.directory,
      onLine: (line) => this.stage.progress(line),
      signal: this.signal,
    })
    if (run.exitCode === exitCode) return run
    throw new Error(
      `treeswap ${args.join(' ')} ended with exit code ${run.exitCode}:\n${run.told.slice(-30).join('\n')}\n${run.stdout}`,
    )
  }

  /** One `treeswap run`. */
  async run(exitCode = 0): Promise<RepoRun> {
    const run = await this.treeswap(['run', TREE, '--json'], exitCode)
    const [repo] = (run.document() as { pacman: RepoRun[] }).pacman
    if (repo === undefined) throw new Error(run.stdout)
    for (const { base, status, version = '', reason = '' } of repo.recipes) {
      this.stage.answer(`${base} ${version} ${status}${reason === '' ? '' : `: ${reason}`}`)
    }
    expectSame('status of the run', repo.status, 'built')
    return repo
  }

  /** @param releases directory of the mirror; @param web what a plain web host serves */
  async serve(releases: string, web: string): Promise<void> {
    const { stdout } = await this.treeswap(['config', 'nginx'])
    mkdirSync(join(this.root, 'published'), { recursive: true })
    const plain = (port: number, directory: string): string => `server { listen 127.0.0.1:${port}; root ${directory}; }`
    const blocks = [stdout, plain(this.ports.mirror, releases), plain(this.ports.web, web)]
    this.servers.push(await startNginx(join(this.directory, 'nginx'), this.ports.http, blocks))
  }

  /** Package files that are served, without signatures. */
  served(): string[] {
    return readdirSync(join(this.root, 'published', TREE, 'os/x86_64')).filter((name) => name.endsWith('.pkg.tar.zst'))
  }

  async stop(): Promise<void> {
    for (const server of this.servers) await server.stop()
  }
}
