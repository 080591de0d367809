import * as z from 'zod'
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

function byNumber(one: JenkinsBuild): [number, JenkinsBuild] {
  return [one.number, one]
}
