import type { Readable } from 'node:stream'
import { artifactFile, buildMissing, checkPlace, validNumber } from '../artifact/place.js'
import type { ArtifactSource, Item } from '../artifact/source.js'
import { BUILD_FILE, parseBuild } from '../model/build.js'
import type { Build } from '../model/build.js'
import { configurationError, infrastructureError, TreeswapError } from '../model/errors.js'
import { listJenkinsBuilds, readJenkinsBuild } from './builds.js'
import type { JenkinsBuild } from './builds.js'
import { orMissing } from './client.js'
import type { Jenkins } from './client.js'
import { jobPath, validJob } from './job-name.js'

export interface JenkinsSourceOptions {
  /** the build that is "the latest"; default: the last successful one */
  only?: number | undefined
  /** the running build that may be read, by itself: what it has archived must be all */
  running?: number | undefined
  /** builds whose artifacts the job keeps; default: all */
  keeps?: number | undefined
}

/** build.json and where it lies among a build's artifacts. */
interface Archived {
  build: Build
  text: string
  /** with a slash at its end, relative to the build's artifacts; '' is their top */
  directory: string
}

/** A build record is a few kilobytes; what is larger is something else. */
const MAX_RECORD = 2 ** 20

/**
 * `jenkins:JOB`: the builds of one item, under the numbers that Jenkins gave them. Of a build's artifacts the one file
 * build.json says what the rest beside it is. Only builds with the result SUCCESS are read, and UNSTABLE ones of pacman
 * repos: some of their recipes failed, whose packages are those of the build before.
 * @throws JOB_INVALID
 */
export function jenkinsSource(jenkins: Jenkins, job: string, options: JenkinsSourceOptions = {}): ArtifactSource {
  const name = validJob(job)
  const { only, running, keeps } = options
  const known = new Map<number, Archived>()
  const source: ArtifactSource = {
    description: `jenkins:${name}`,
    keeps,

    async numbers(item) {
      const builds = await listJenkinsBuilds(jenkins, name)
      const wanted = builds.filter((build) => recordsOf(build).length > 0 && (only ?? build.number) === build.number)
      const unstable = wanted.filter((build) => standing(build, running) === 'unstable')
      const accepted = item.kind === 'tree' && (await isPacmanJob(unstable)) ? ['good', 'unstable'] : ['good']
      return wanted.filter((build) => accepted.includes(standing(build, running))).map(({ number }) => number)
    },

    async readBuild(item, number) {
      // what was read hours ago may be discarded by now
      known.delete(validNumber(number))
      const { build, text } = await archived(item, number)
      return { build, text }
    },

    async open(item, number, file): Promise<Readable> {
      artifactFile(file)
      const { build, directory } = await archived(item, number)
      const records = build.packs.flatMap((pack) => [pack, pack.manifest]).concat(build.log ?? [])
      const record = records.find((candidate) => candidate.file === file)
      const stream = await orMissing(jenkins.download(artifactPath(number, directory + file), record?.size))
      if (stream !== undefined) return stream
      throw infrastructureError(
        'FILE_MISSING',
        `${source.description}@${number} has no ${file}, though its build record names it`,
        'see under "Build Artifacts" of that build; build again where it is gone',
      )
    },
  }

  async function archived(item: Item, number: number): Promise<Archived> {
    const before = known.get(validNumber(number))
    if (before !== undefined) {
      checkPlace(before.build, item, number, placeOf(number, before.directory))
      return before
    }
    const found = await orMissing(readJenkinsBuild(jenkins, name, number))
    if (found === undefined) throw buildMissing(source, item, number, await source.numbers(item))
    const how = standing(found, running)
    if (how === 'bad' || (how === 'unstable' && recordsOf(found).length === 0)) {
      throw notReadable(source.description, found)
    }
    const result = await readRecord(found)
    if (how === 'unstable' && result.build.kind !== 'pacman-repo') throw notReadable(source.description, found)
    checkPlace(result.build, item, number, placeOf(number, result.directory))
    known.set(number, result)
    return result
  }

  async function readRecord(found: JenkinsBuild): Promise<Archived> {
    const directory = directoryOf(found, source.description)
    const { text } = await jenkins.getText(artifactPath(found.number, directory + BUILD_FILE), MAX_RECORD)
    return { build: parseBuild(text, placeOf(found.number, directory)), text, directory }
  }

  /** By the newest build that has a record: the builds of one job are of one kind. */
  async function isPacmanJob(builds: readonly JenkinsBuild[]): Promise<boolean> {
    for (const build of builds.toReversed()) {
      try {
        return (await readRecord(build)).build.kind === 'pacman-repo'
      } catch (error) {
        const gone =
          error instanceof TreeswapError && (error.category === 'configuration' || error.code === 'JENKINS_NOT_FOUND')
        if (!gone) throw error
      }
    }
    return false
  }

  function artifactPath(number: number, path: string): string {
    return `${jobPath(name)}/${number}/artifact/${path.split('/').map(encodeURIComponent).join('/')}`
  }

  function placeOf(number: number, directory: string): string {
    return `${source.description}@${number}: ${directory}${BUILD_FILE}`
  }

  return source
}

/** What Jenkins thinks of a build. A running one has no result, or that which was set so far. */
function standing(
  { number, result, building }: JenkinsBuild,
  running: number | undefined,
): 'good' | 'unstable' | 'bad' {
  const ended = !building && result != null
  if (!ended && number !== running) return 'bad'
  if (result === 'UNSTABLE') return 'unstable'
  return result == null || result === 'SUCCESS' ? 'good' : 'bad'
}

function notReadable(source: string, { number, result, building }: JenkinsBuild): Error {
  if (result != null && result !== 'SUCCESS') {
    return configurationError(
      'BUILD_NOT_SUCCESSFUL',
      `build ${number} of ${source} has the result ${JSON.stringify(result.slice(0, 40))}: only SUCCESS is taken, and of pacman repos UNSTABLE`,
      'see its console output; name a build that succeeded, or leave the number off to get the last one',
    )
  }
  return configurationError(
    'BUILD_RUNNING',
    `build ${number} of ${source} ${building ? 'is running' : 'has no result yet'}: what it has archived may not be all`,
    'wait until it has ended; only the build itself, when it has archived everything, may publish it with --running',
  )
}

function recordsOf({ artifacts }: JenkinsBuild): string[] {
  return artifacts.filter(({ fileName }) => fileName === BUILD_FILE).map(({ relativePath }) => relativePath)
}

/** Where the one build.json lies. */
function directoryOf(build: JenkinsBuild, source: string): string {
  const [path, ...others] = recordsOf(build)
  const segments = path?.split('/') ?? []
  const good = segments.every((segment) => !['', '.', '..'].includes(segment) && !/[\\\p{Cc}]/u.test(segment))
  if (path !== undefined && others.length === 0 && good && segments.at(-1) === BUILD_FILE) {
    return path.slice(0, -BUILD_FILE.length)
  }
  const all = [path, ...others].map((one) => JSON.stringify(one)).join(', ')
  const found = path === undefined ? `no ${BUILD_FILE}` : all
  throw configurationError(
    'ARTIFACT_MISSING',
    `build ${build.number} of ${source} is to have one ${BUILD_FILE} among its artifacts, and has ${found}`,
    'its artifacts may have been discarded by then; else see that the job archives one artifact directory, and that it is a treeswap job',
  )
}
