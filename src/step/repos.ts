import { openSource } from '../agent/sources.js'
import type { Config, MachineConfig } from '../config/config.js'
import { snapshotOf } from '../machines/repo-snapshots.js'
import type { ChosenSnapshot } from '../machines/repo-snapshots.js'
import { configurationError } from '../model/errors.js'
import type { Context } from '../model/report.js'

/**
 * A job that names its repos is started by theirs: it must not build with others.
 * @param named undefined: the job leaves it to the configuration
 * @throws REPOS_DIFFERENT
 */
export function requireSameRepos(
  { file }: Config,
  { name, repos }: MachineConfig,
  named: readonly string[] | undefined,
): void {
  if (named === undefined || [...named].sort().join() === [...repos].sort().join()) return
  throw configurationError(
    'REPOS_DIFFERENT',
    `the job builds ${name} from ${named.join(', ')}, but ${file} says ${repos.join(', ')}`,
    'run the seed job again, so that the job is as the configuration says; or leave "repos" out of the job',
  )
}

/** The last snapshots of ebuild repos, resolved to numbers once. @throws BUILD_MISSING, and what the source throws */
export async function latestSnapshots(
  config: Config,
  names: readonly string[],
  context: Context,
): Promise<ChosenSnapshot[]> {
  return Promise.all(
    names.map((name) => snapshotOf(openSource(`jenkins:${repoJob(config, name)}`, config, { context }), name)),
  )
}

/** Full name of the job that archives an ebuild repo. */
function repoJob({ jenkins }: Config, name: string): string {
  return `${jenkins?.folder ?? 'treeswap'}/repos/${name}`
}
