import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { commitAll } from '../lab/commit-all.js'
import { builderRoot } from '../lab/portage-root.js'
import { watchProcess } from '../lab/process-watch.js'
import { compiled } from '../lab/run-treeswap.js'
import { writeFiles } from '../lab/temporary.js'
import { FakeJenkins } from '../jenkins/fake-jenkins.js'
import { makeLibrary } from './library.js'
import { runPipeline } from './run-pipeline.js'
import type { Pipeline, PipelineResult, Watch } from './run-pipeline.js'

export interface JobsSettings {
  directory?: string
  /** uids of the agents, and how the builder's one gets to root; default: both are root */
  agents?: { treeswap: number; publisher: number; rootProgram: string[] }
  /** what treeswap.yaml says but for its section jenkins; default: a machine with one ebuild repo in git/ */
  configuration?: (site: JobsSite) => Promise<object>
}

interface GeneratedJob {
  name: string
  script: string
}

export const TOKEN = '11aa-token-of-the-reader-22bb'

/**
 * The jobs that are generated from a configuration, run one by one: their scripts under Jenkins' engine, their artifacts
 * served by a fake Jenkins, everything else real.
 */
export class JobsSite {
  private static readonly all: JobsSite[] = []
  private readonly numbers = new Map<string, number>()
  private jobs?: GeneratedJob[]

  private constructor(
    readonly directory: string,
    readonly jenkins: FakeJenkins,
    readonly agents: JobsSettings['agents'],
  ) {}

  /** @param directory where it is made; nobody but root may write above it where the agents are not root */
  static async create(settings: JobsSettings = {}): Promise<JobsSite> {
    const directory = mkdtempSync(join(settings.directory ?? tmpdir(), 'treeswap-jobs-'))
    chmodSync(directory, 0o755)
    const users = { reader: { token: TOKEN, password: 'p', readOnly: true } }
    const site = new JobsSite(directory, await FakeJenkins.start({ users }), settings.agents)
    JobsSite.all.push(site)
    const { configuration = tinyMachine } = settings
    const jenkins = { config: { url: site.path('git/site'), branch: 'main' }, timeout: '10m' }
    const text = stringify({ ...(await configuration(site)), jenkins })
    writeFiles(site.path('git/site'), { 'treeswap.yaml': text })
    commitAll(site.path('git/site'))
    // the repositories belong to another user than the agents' ones
    writeFiles(site.path('home'), { '.gitconfig': '[safe]\n\tdirectory = *\n' })
    makeLibrary(site.path('library'))
    return site
  }

  path(...parts: string[]): string {
    return join(this.directory, ...parts)
  }

  private get configuration(): string {
    return this.path('git/site/treeswap.yaml')
  }

  /** Script of a job, named below the folder, as `treeswap jobs render` generates it. */
  script(name: string): string {
    this.jobs ??= this.render()
    const job = this.jobs.find((one) => one.name === name)
    if (job === undefined) throw new Error(`there is no job ${name}`)
    return job.script
  }

  private render(): GeneratedJob[] {
    const file = this.path('jobs.json')
    treeswap('jobs', 'render', '--config', this.configuration, '--out', file)
    return (JSON.parse(readFileSync(file, 'utf8')) as { jobs: GeneratedJob[] }).jobs
  }

  /** Runs the next build of a job. */
  async run(
    name: string,
    more: Partial<Pipeline> = {},
    watch: Watch = {},
  ): Promise<PipelineResult & { number: number }> {
    const job = `treeswap/${name}`
    const number = (this.numbers.get(job) ?? 0) + 1
    this.numbers.set(job, number)
    const archive = this.archived(name, number)
    mkdirSync(archive, { recursive: true })
    const build = this.jenkins.items.addBuild(job, {
      number,
      building: true,
      result: null,
      archived: { directory: archive, under: '' },
    })
    const agent = (label: 'treeswap' | 'publisher') => {
      const user = this.agents?.[label]
      const workspace = this.path('agents', label, name)
      return { workspace, environment: { HOME: this.path('home') }, ...(user !== undefined && { user: String(user) }) }
    }
    const result = await runPipeline(
      this.path('engine'),
      {
        script: this.script(name),
        job,
        number,
        archive,
        agents: { treeswap: agent('treeswap'), publisher: agent('publisher') },
        credentials: { 'treeswap-read': { username: 'reader', password: TOKEN } },
        environment: { JENKINS_URL: this.jenkins.url },
        library: this.path('library'),
        ...more,
      },
      {
        onLine(line, ...stops) {
          // what the step `unstable` prints; Jenkins tells of it while the build goes on
          if (line.startsWith('WARNING: ')) build.result = 'UNSTABLE'
          watch.onLine?.(line, ...stops)
        },
      },
    )
    build.building = false
    build.result = result.result
    return { ...result, number }
  }

  /** Number of the build that clients are served; undefined: none. */
  published(): number | undefined {
    const text = treeswap('status', '--json', '--config', this.configuration)
    const { trees } = JSON.parse(text) as { trees: { published?: { build: number } | null }[] }
    return trees[0]?.published?.build
  }

  /** Where a server keeps what a build archived. */
  archived(name: string, number: number): string {
    return this.path('jenkins/treeswap', name, String(number))
  }

  head(): string {
    return readFileSync(this.path('builder/chroots/database/head.json'), 'utf8')
  }

  /** For `after`: removes what a suite made, also where it was skipped or broke off. */
  static async removeAll(): Promise<void> {
    for (const site of JobsSite.all.splice(0)) await site.remove()
  }

  private async remove(): Promise<void> {
    await this.jenkins.stop()
    execFileSync('rm', ['-rf', '--one-file-system', this.directory])
  }
}

async function tinyMachine(site: JobsSite): Promise<object> {
  const { rootProgram } = site.agents ?? {}
  const root = await builderRoot(() => undefined)
  return {
    schema: 1,
    publisher: { root: site.path('srv'), http: 'http://127.0.0.1:1', grace: '1h' },
    builder: {
      directory: site.path('builder'),
      ...(rootProgram !== undefined && { 'root-program': rootProgram }),
    },
    chroots: { database: rootProgram === undefined ? { from: root } : {} },
    repos: { gentoo: { url: site.path('git/gentoo') } },
    machines: {
      database: {
        profile: { url: site.path('git/machines'), path: 'database' },
        repos: ['gentoo'],
        after: ['--depclean'],
      },
    },
  }
}

function treeswap(...args: string[]): string {
  return execFileSync(process.execPath, [compiled, ...args], { encoding: 'utf8' })
}

/**
 * Stops a build as soon as a process runs in its container.
 * @param commandLine of that process
 * @param minutes that pass then, until a time limit; without them a user aborts it
 * @returns when it was to stop, and when the process was gone: milliseconds since the epoch
 */
export function stopWhileRuns(
  commandLine: string,
  minutes?: number,
): { watch: Watch; asked: Promise<number>; gone: Promise<number> } {
  const { seen, gone } = watchProcess(commandLine)
  let stop: (() => void) | undefined
  const onLine: Watch['onLine'] = (_line, abort, letPass) => {
    stop ??= minutes === undefined ? abort : () => letPass(minutes)
  }
  const asked = seen.then(() => {
    const when = Date.now()
    stop?.()
    return when
  })
  return { watch: { onLine }, asked, gone }
}

/** Command lines of processes that name a place, but for the engine's own. */
export function processesOf(place: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map((pid) => readIfThere(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))
    .filter((line) => line.includes(place) && !line.startsWith('java '))
}

export function mountsOf(place: string): string[] {
  return readIfThere('/proc/self/mountinfo')
    .split('\n')
    .filter((line) => line.includes(place))
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
