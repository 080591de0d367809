import { execa } from 'execa'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { cachedDirectory, recipeKey } from '../../lab/cache.js'
import { digestOf } from '../../lab/digest.js'
import { classPath } from '../maven.js'

export interface SeedRun {
  /** config.xml of what the script made, by name */
  items: Record<string, string>
  /** what the sandbox checked besides calls of Job DSL */
  calls: string[]
}

export interface SeedFailure {
  problem: string
}

const sources = new URL('.', import.meta.url).pathname
/** Groovy 2.4 reaches into the Java library, which Java 17 allows only where it is said */
const opened = ['lang', 'util'].map((name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`)

/**
 * Runs a seed script under a recorder that knows the documented calls of Job DSL and what its sandbox allows.
 * @param workspace holds jobs.json
 */
export async function runSeed(script: string, workspace: string): Promise<SeedRun | SeedFailure> {
  const { stdout } = await execa('java', [
    ...opened,
    '-XX:TieredStopAtLevel=1',
    '-cp',
    await recorder(),
    'Main',
    script,
    workspace,
  ])
  return JSON.parse(stdout) as SeedRun | SeedFailure
}

/** Class path of the compiled recorder, with the Groovy that Jenkins has. */
async function recorder(): Promise<string> {
  const libraries = await classPath('seed', [
    'org.codehaus.groovy:groovy-all:2.4.21',
    'org.kohsuke:groovy-sandbox:1.19',
  ])
  const key = recipeKey([libraries, ...digestOf(sources)])
  const classes = await cachedDirectory(`seed-recorder-${key}`, async (partial) => {
    const files = readdirSync(sources).filter((name) => name.endsWith('.groovy'))
    const compiler = 'org.codehaus.groovy.tools.FileSystemCompiler'
    await execa('java', [
      ...opened,
      '-cp',
      libraries,
      compiler,
      '-d',
      partial,
      ...files.map((name) => join(sources, name)),
    ])
  })
  return `${classes}:${libraries}`
}
