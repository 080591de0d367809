import * as z from 'zod'
import type { Jenkins } from './client.js'
import { jobPath } from './job-name.js'

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

/**
 * The newest hundred builds of a job, and, however old, its last stable one and its last one that was at least unstable;
 * ascending.
 * @throws what Jenkins' methods throw
 */
export async function listJenkinsBuilds(jenkins: Jenkins, job: string): Promise<JenkinsBuild[]> {
  const last = { lastStableBuild: build.nullish(), lastSuccessfulBuild: build.nullish() }
  const schema = z.object({ builds: z.array(build).default([]), ...last })
  const tree = ['builds', ...Object.keys(last)].map((name) => `${name}[${TREE}]`).join(',')
  const found = await jenkins.getJson(jobPath(job), tree, schema)
  const permanent = [found.lastStableBuild, found.lastSuccessfulBuild].filter((one) => one != null)
  const builds = new Map([...found.builds, ...permanent].map(byNumber))
  return [...builds.values()].sort((a, b) => a.number - b.number)
}

/** @throws JENKINS_NOT_FOUND, and what Jenkins' methods throw */
export async function readJenkinsBuild(jenkins: Jenkins, job: string, number: number): Promise<JenkinsBuild> {
  return jenkins.getJson(`${jobPath(job)}/${number}`, TREE, build)
}

function byNumber(one: JenkinsBuild): [number, JenkinsBuild] {
  return [one.number, one]
}
