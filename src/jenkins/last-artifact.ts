import { listJenkinsBuilds } from './builds.js'
import { orMissing } from './client.js'
import type { Jenkins } from './client.js'
import { jobPath } from './job-name.js'

/**
 * A small artifact of the last build of a job that succeeded and has it; undefined where there is none.
 * @param path of the artifact, relative to the build's artifacts
 * @param maximum bytes
 * @throws what Jenkins' methods throw
 */
export async function lastArtifact(
  jenkins: Jenkins,
  job: string,
  path: string,
  maximum: number,
): Promise<string | undefined> {
  const builds = (await orMissing(listJenkinsBuilds(jenkins, job))) ?? []
  const last = builds.findLast(
    ({ result, building, artifacts }) =>
      result === 'SUCCESS' && !building && artifacts.some(({ relativePath }) => relativePath === path),
  )
  if (last === undefined) return undefined
  const place = path.split('/').map(encodeURIComponent).join('/')
  return (await orMissing(jenkins.getText(`${jobPath(job)}/${last.number}/artifact/${place}`, maximum)))?.text
}
