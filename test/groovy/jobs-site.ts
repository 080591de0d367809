import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfig } from '../../src/config/load.js'
import { jobsOf } from '../../src/jenkins/jobs/model.js'
import { commitAll } from '../lab/commit-all.js'
import { builderRoot } from '../lab/portage-root.js'
import { writeFiles } from '../lab/temporary.js'
import { FakeJenkins } from '../jenkins/fake-jenkins.js'
import { makeLibrary } from './library.js'
import { runPipeline } from './run-pipeline.js'
import type { Pipeline, PipelineResult, Watch } from './run-pipeline.js'

export const TOKEN = '11aa-token-of-the-reader-22bb'

/**
 * The jobs that are generated from a configuration, run one by one: their scripts under Jenkins' engine, their artifacts
 * served by a fake Jenkins, everything else real.
 */
export class JobsSite {
  private static readonly all: JobsSite[] = []
  private readonly numbers = new Map<string, number>()

  private constructor(
    readonly directory: string,
    readonly jenkins: FakeJenkins,
  ) {}

  /** @param machine more of the machine's section */
  static async create(machine = ''): Promise<JobsSite> {
    const directory = mkdtempSync(join(tmpdir(), 'treeswap-jobs-'))
    const users = { reader: { token: TOKEN, password: 'p', readOnly: true } }
    const site = new JobsSite(directory, await FakeJenkins.start({ users }))
    JobsSite.all.push(site)
    const root = await builderRoot(() => undefined)
    writeFiles(site.path('git/site'), {
      'treeswap.yaml': `schema: 1
jenkins:
  config: { url: ${site.path('git/site')}, branch: main }
  timeout: 10m
publisher: { root: ${site.path('srv')}, http: 'http://127.0.0.1:1', grace: 1h }
builder: { directory: ${site.path('builder')} }
chroots:
  database: { from: ${root} }
repos:
  gentoo: { url: ${site.path('git/gentoo')} }
machines:
  database:
    profile: { url: ${site.path('git/machines')}, path: database }
    repos: [gentoo]
    after: ['--depclean']
${machine}`,
    })
    commitAll(site.path('git/site'))
    makeLibrary(site.path('library'))
    return site
  }

  path(...parts: string[]): string {
    return join(this.directory, ...parts)
  }

  /** Script of a generated job, named below the folder. */
  script(name: string): string {
    const config = parseConfig(readFileSync(this.path('git/site/treeswap.yaml'), 'utf8'), this.path('treeswap.yaml'))
    const job = jobsOf(config).jobs.find((one) => one.name === name)
    if (job === undefined) throw new Error(`there is no job ${name}`)
    return job.script
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
    const archive = this.path('jenkins', job, String(number))
    mkdirSync(archive, { recursive: true })
    const build = this.jenkins.items.addBuild(job, {
      number,
      building: true,
      result: null,
      archived: { directory: archive, under: '' },
    })
    const workspace = (label: string): string => this.path('agents', label, name)
    const result = await runPipeline(
      this.path('engine'),
      {
        script: this.script(name),
        job,
        number,
        archive,
        agents: { treeswap: { workspace: workspace('treeswap') }, publisher: { workspace: workspace('publisher') } },
        credentials: { 'treeswap-read': { username: 'reader', password: TOKEN } },
        environment: { JENKINS_URL: this.jenkins.url },
        library: this.path('library'),
        ...more,
      },
      watch,
    )
    build.building = false
    build.result = result.result
    return { ...result, number }
  }

  /** Number of the build that clients are served; undefined: none. */
  published(): number | undefined {
    const program = new URL('../../dist/treeswap.mjs', import.meta.url).pathname
    const text = execFileSync(process.execPath, [program, 'status', '--json', '--root', this.path('srv')], {
      encoding: 'utf8',
    })
    const { trees } = JSON.parse(text) as { trees: { published?: { build: number } | null }[] }
    return trees[0]?.published?.build
  }

  head(): string {
    return readFileSync(this.path('builder/chroots/database/head.json'), 'utf8')
  }

  /** Command lines of processes that have to do with this site, but for the engine's own. */
  processes(): string[] {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .map((pid) => readIfThere(`/proc/${pid}/cmdline`).replaceAll('\0', ' '))
      .filter((line) => line.includes(this.directory) && !line.startsWith('java '))
  }

  mounts(): string[] {
    return readIfThere('/proc/self/mountinfo')
      .split('\n')
      .filter((line) => line.includes(this.directory))
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

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
