import { join } from 'node:path'
import { baseEnvironment } from '../chroot/base-environment.js'
import type { RootService, RunRequest, Session } from '../chroot/requests.js'
import { buildError, configurationError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import {
  exists,
  isDirectory,
  listDirectory,
  makeDirectory,
  makeTemporaryDirectory,
  removeFile,
  removeTree,
  rename,
  replaceLink,
} from '../system/files.js'
import { findFiles } from '../system/glob.js'
import { bindRepos, mastersOf, repositoriesConfiguration } from './repositories.js'
import type { RepoDirectory } from './repositories.js'

export const CACHE = 'metadata/md5-cache'

/** In the container. A bind inside of another one is refused, so the repo has a link to it. */
const PLACE = '/var/cache/treeswap-md5-cache'

/** Seconds: the largest repo from nothing takes well under an hour; an ebuild that loops must not stop everything. */
const LONGEST = 6 * 3600

/** Every ebuild of a repo as CATEGORY/PF. */
export function listEbuilds(directory: string): string[] {
  return findFiles(directory, '*/*/*.ebuild').map((path) => {
    const [category = '', , file = ''] = path.split('/')
    return `${category}/${file.slice(0, -'.ebuild'.length)}`
  })
}

export function hasCache(directory: string): boolean {
  return isDirectory(join(directory, CACHE)) && listDirectory(join(directory, CACHE)).length > 0
}

/**
 * Brings the metadata cache of `repo` up to date with egencache inside a chroot; nothing of that root is kept.
 * @param repo a copy that may be changed; entries that are still right are taken over from its metadata/md5-cache
 * @param lent where the chroot's containers write caches, on the file system of `repo`; used by its sessions alone
 * @throws MASTER_MISSING, CACHE_INCOMPLETE (egencache ends with 0 even where it could not read an ebuild)
 */
export async function generateCache(
  repo: RepoDirectory,
  masters: readonly RepoDirectory[],
  service: RootService,
  chroot: string,
  lent: string,
  context: Context,
): Promise<void> {
  const missing = mastersOf(repo.directory).filter((name) => !masters.some((master) => master.name === name))
  if (missing.length > 0) {
    throw configurationError(
      'MASTER_MISSING',
      `the ebuild repo ${repo.name} builds upon ${missing.join(', ')} (masters in metadata/layout.conf)`,
      `give it: --master ${missing[0] ?? ''}=dir:PATH, or list it under repos in the configuration`,
    )
  }
  const cache = join(repo.directory, CACHE)
  makeDirectory(cache)
  const output: string[] = []
  await service.session(chroot, context, async (session) => {
    await removeDead(lent, session, context)
    const top = makeTemporaryDirectory(join(lent, `${repo.name}-`))
    const place = join(top, 'md5-cache')
    try {
      rename(cache, place)
      replaceLink(PLACE, cache)
      try {
        await session.run(egencache([...masters, repo], repo.name, place), (line) => {
          output.push(line)
          context.report.line(line)
        })
      } finally {
        await session.reclaim(place)
      }
      removeFile(cache)
      rename(place, cache)
    } finally {
      removeTree(top)
    }
  })
  requireComplete(repo, output)
}

function egencache(repos: readonly RepoDirectory[], name: string, cache: string): RunRequest {
  return {
    argv: [
      ...['egencache', '--update', '--repo', name, '--jobs', '2'],
      ...['--repositories-configuration', repositoriesConfiguration(repos)],
    ],
    env: baseEnvironment,
    binds: [...bindRepos(repos), { source: cache, target: PLACE, writable: true }],
    network: false,
    limits: { seconds: LONGEST, processes: 4096 },
  }
}

/** Of runs that were killed: the session's lock says that nobody works there, and only this root can give it back. */
async function removeDead(directory: string, session: Session, { report }: Context): Promise<void> {
  for (const { name } of listDirectory(directory)) {
    const top = join(directory, name)
    try {
      await session.reclaim(join(top, 'md5-cache'))
      removeTree(top)
    } catch (error) {
      report.warn(`${top} could not be removed: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
}

function requireComplete({ name, directory }: RepoDirectory, output: string[]): void {
  const ebuilds = listEbuilds(directory)
  const missing = ebuilds.filter((cpv) => !exists(join(directory, CACHE, cpv)))
  if (missing.length === 0) return
  throw buildError(
    'CACHE_INCOMPLETE',
    `${missing.length} of ${ebuilds.length} ebuilds of ${name} could not be read: ${missing.slice(0, 5).join(', ')}` +
      `${missing.length > 5 ? ', …' : ''}. egencache said: ${output.slice(-5).join(' | ')}`,
    'mend these ebuilds (or the eclasses they inherit) and commit; clients keep the snapshot they have',
  )
}
