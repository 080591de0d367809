import { join } from 'node:path'
import { baseEnvironment } from './container.js'
import { bindRepos, mastersOf, repositoriesConfiguration } from './repositories.js'
import type { RepoDirectory } from './repositories.js'
import type { RootService } from '../chroot/requests.js'
import { buildError, configurationError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { exists, isDirectory, listDirectory, makeDirectory } from '../system/files.js'
import { findFiles } from '../system/glob.js'

export const CACHE = 'metadata/md5-cache'

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
 * @throws MASTER_MISSING, CACHE_INCOMPLETE (egencache ends with 0 even where it could not read an ebuild)
 */
export async function generateCache(
  repo: RepoDirectory,
  masters: readonly RepoDirectory[],
  service: RootService,
  chroot: string,
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
  const repos = [...masters, repo]
  const cache = join(repo.directory, CACHE)
  makeDirectory(cache)
  const output: string[] = []
  await service.session(chroot, context, async (session) => {
    try {
      await session.run(
        {
          argv: [
            ...['egencache', '--update', '--repo', repo.name, '--jobs', '2'],
            ...['--repositories-configuration', repositoriesConfiguration(repos)],
          ],
          env: baseEnvironment,
          binds: [
            ...bindRepos(repos),
            { source: cache, target: `/var/db/repos/${repo.name}/${CACHE}`, writable: true },
          ],
          network: false,
          limits: { seconds: LONGEST, processes: 4096 },
        },
        (line) => {
          output.push(line)
          context.report.line(line)
        },
      )
    } finally {
      await session.reclaim(cache)
    }
  })
  requireComplete(repo, output)
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
