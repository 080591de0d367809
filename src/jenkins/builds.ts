import * as z from 'zod'
import { configurationError } from '../model/errors.js'
import { jobPath } from './job-name.js'
import type { Jenkins } from './client.js'

const artifact = z.object({ fileName: z.string(), relativePath: z.string() })
const build = z.object({
  number: z.int().positive(),
  /** null while it runs, unless something has failed already */
  result: z.string().nullish(),
  building: z.boolean(),
  artifacts: z.array(artifact).default([]),
})

const TREE = 'number,result,building,artifacts[fileName,relativePath]'

/** What Jenkins knows of a build. */
export type JenkinsBuild = z.infer<typeof build>

/** The newest hundred builds of a job, and its last stable one, however old; ascending. @throws what Jenkins' methods throw */
export async function listJenkinsBuilds(jenkins: Jenkins, job: string): Promise<JenkinsBuild[]> {
  const schema = z.object({ builds: z.array(build).default([]), lastStableBuild: build.nullish() })
  const found = await jenkins.getJson(jobPath(job), `builds[${TREE}],lastStableBuild[${TREE}]`, schema)
  const builds = new Map([...found.builds, ...(found.lastStableBuild ? [found.lastStableBuild] : [])].map(byNumber))
  return [...builds.values()].sort((a, b) => a.number - b.number)
}

/** @throws JENKINS_NOT_FOUND, and what Jenkins' methods throw */
export async function readJenkinsBuild(jenkins: Jenkins, job: string, number: number): Promise<JenkinsBuild> {
  return jenkins.getJson(`${jobPath(job)}/${number}`, TREE, build)
}

/**
 * The number of the last build that ended well, UNSTABLE ones counted. A running build is never meant.
 * @throws BUILD_MISSING, and what Jenkins' methods throw
 */
export async function lastSuccessful(jenkins: Jenkins, job: string): Promise<number> {
  const schema = z.object({ lastSuccessfulBuild: z.object({ number: z.int().positive() }).nullish() })
  const { lastSuccessfulBuild } = await jenkins.getJson(jobPath(job), 'lastSuccessfulBuild[number]', schema)
  if (lastSuccessfulBuild) return lastSuccessfulBuild.number
  throw configurationError(
    'BUILD_MISSING',
    `the Jenkins job ${job} has no successful build yet`,
    'start it, and see its console output if it fails',
  )
}

function byNumber(one: JenkinsBuild): [number, JenkinsBuild] {
  return [one.number, one]
}
