import { execa } from 'execa'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { cachedDirectory, recipeKey } from '../lab/cache.js'
import { digestOf } from '../lab/digest.js'
import { classPath } from './maven.js'

/** What the server and its agents are for one build; read by Main.java. */
export interface Pipeline {
  /** the job's script */
  script: string
  /** full name */
  job: string
  number: number
  /** label → agent */
  agents: Record<string, { workspace: string; environment?: Record<string, string>; user?: string }>
  /** id → secret */
  credentials?: Record<
    string,
    { username: string; password: string } | { key: string } | { file: string } | { text: string }
  >
  /** variables of every build */
  environment?: Record<string, string>
  parameters?: Record<string, string>
  /** what `scm` is in a script that lies in a repository */
  scm?: unknown
  /** of which there are steps: junit, job-dsl */
  plugins?: string[]
  /** where artifacts go, as the server keeps them; default: below `directory` */
  archive?: string
  /** holds vars/ and resources/; default: this project */
  library?: string
  /** run in a script sandbox, and note what it would check */
  sandbox?: boolean
}

export interface PipelineResult {
  result: 'SUCCESS' | 'UNSTABLE' | 'FAILURE' | 'NOT_BUILT' | 'ABORTED'
  /** of the exception that ended it */
  error: string | null
  description: string | null
  /** names of the steps that were begun, in order */
  steps: string[]
  /** how often the program was serialized, deserialized and resumed */
  saves: number
  checkouts: { url: string; branch: string; credentials: string | null; poll: boolean; regions?: string }[]
  /** paths of archived files */
  archived: string[]
  reports: string[]
  agents: string[]
  /** signatures that a script sandbox would check; only with `sandbox` */
  checked?: string[]
  /** lines of the console */
  console: string[]
}

export interface Watch {
  /**
   * Called with each line of the console.
   * @param abort does what a user's click on it does
   * @param letPass lets minutes pass for time limits
   */
  onLine?: (line: string, abort: () => void, letPass: (minutes: number) => void) => void
}

const sources = new URL('engine/', import.meta.url).pathname
const project = new URL('../../', import.meta.url).pathname
const groovy = 'org.codehaus.groovy:groovy-all:2.4.21'
const others = ['com.google.guava:guava:11.0.1', 'org.kohsuke:groovy-sandbox:1.19']

/** Runs one build of a pipeline under the engine that Jenkins runs; whatever it comes to is returned. */
export async function runPipeline(directory: string, pipeline: Pipeline, watch: Watch = {}): Promise<PipelineResult> {
  mkdirSync(directory, { recursive: true })
  const scenario = join(directory, 'scenario.json')
  const summary = join(directory, 'summary.json')
  const archive = pipeline.archive ?? join(directory, 'archive')
  writeFileSync(scenario, JSON.stringify({ library: project, ...pipeline, archive, summary }), { mode: 0o600 })
  const child = execa(
    'java',
    ['-XX:TieredStopAtLevel=1', '-cp', await engine(pipeline.sandbox === true), 'treeswap.Main', scenario],
    {
      reject: false,
      buffer: false,
      stdin: 'pipe',
      all: true,
    },
  )
  const console: string[] = []
  for await (const line of createInterface({ input: child.all })) {
    console.push(line)
    const say = (text: string): void => void child.stdin.write(`${text}\n`)
    watch.onLine?.(
      line,
      () => say('abort'),
      (minutes) => say(`pass ${minutes}`),
    )
  }
  const { exitCode } = await child
  if (exitCode !== 0) throw new Error(`the engine ended with exit code ${exitCode}:\n${console.join('\n')}`)
  return { ...(JSON.parse(readFileSync(summary, 'utf8')) as Omit<PipelineResult, 'console'>), console }
}

/** Class path of the compiled engine. The hooks of the sandbox are on Maven Central up to groovy-cps 1.24. */
async function engine(sandbox: boolean): Promise<string> {
  const version = sandbox ? '1.24' : '1.31'
  const libraries = await classPath(`groovy-cps-${version}`, [groovy, `com.cloudbees:groovy-cps:${version}`, ...others])
  const key = recipeKey([libraries, ...digestOf(sources)])
  const classes = await cachedDirectory(`pipeline-engine-${key}`, async (partial) => {
    const files = readdirSync(sources, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.java'))
    const options = ['-nowarn', '-Xlint:none', '-d', partial, '-cp', libraries]
    await execa('javac', [...options, ...files.map((name) => join(sources, name))])
  })
  return `${classes}:${libraries}`
}
