import { join } from 'node:path'
import { builderDirectories } from '../agent/directories.js'
import { ensureChroot } from '../agent/ensure-chroot.js'
import { artifactPath } from '../agent/output.js'
import { openSource } from '../agent/sources.js'
import { fetchManifest } from '../artifact/source.js'
import type { ArtifactSource } from '../artifact/source.js'
import type { Config, RepoConfig } from '../config/config.js'
import { hasCache } from '../gentoo/md5-cache.js'
import { mastersOf } from '../gentoo/repositories.js'
import { fetchGit, restoreCheckout } from '../git/git.js'
import type { Checkout } from '../git/git.js'
import { snapshotOf } from '../machines/repo-snapshots.js'
import type { ChosenSnapshot } from '../machines/repo-snapshots.js'
import { snapshotRepo } from '../machines/snapshot.js'
import { configurationError } from '../model/errors.js'
import { didYouMean } from '../model/names.js'
import type { Context } from '../model/report.js'
import { sha256 } from '../system/hash.js'
import { withLock } from '../system/lock.js'

export interface RepoOutcome {
  name: string
  status: 'unchanged' | 'snapshot'
  number: number
  commit: string
}

/** An ebuild repo as its remote has it now. */
export interface FetchedRepo {
  repo: RepoConfig
  checkout: Checkout
  /** the repos it builds upon */
  masters: string[]
}

/** @throws GIT_FAILED, LOCKED */
export async function fetchRepo(config: Config, repo: RepoConfig, context: Context): Promise<FetchedRepo> {
  return lockRepo(config, repo.name, context, async () => {
    context.report.step(`fetching ${repo.name}`)
    const checkout = await fetchGit(repo, cloneOf(config, repo.name), context)
    return { repo, checkout, masters: mastersOf(checkout.directory) }
  })
}

/** The repos that one builds upon, by its last checkout; none where there is none. */
export function knownMasters(config: Config, name: string): string[] {
  return mastersOf(cloneOf(config, name))
}

/**
 * Packs a fetched repo, unless its last snapshot was made from the same commit and eclasses.
 * @param chroot root in which the metadata cache is generated where the repo has none
 * @throws MASTER_UNKNOWN, BUILD_MISSING where a master has no snapshot, and what snapshotRepo throws
 */
export async function updateRepo(
  config: Config,
  { repo, checkout, masters: names }: FetchedRepo,
  chroot: string | undefined,
  tools: Record<string, string>,
  context: Context,
): Promise<RepoOutcome> {
  const { name, url } = repo
  return lockRepo(config, name, context, async () => {
    const source = openSource(config.builder.artifacts)
    const masters = await chooseMasters(config, source, name, names)
    const fingerprint = await repoFingerprint(checkout, masters)
    const previous = await latestSnapshot(source, name)
    const { commit, commitTime, directory } = checkout
    if (previous?.build.inputs[0]?.fingerprint === fingerprint) {
      return { name, status: 'unchanged', number: previous.place.number, commit }
    }
    await restoreCheckout(checkout, context)
    if (chroot !== undefined && !hasCache(directory)) await ensureChroot(config, chroot, context)
    const number = (previous?.place.number ?? 0) + 1
    await snapshotRepo(
      {
        directory,
        name,
        number,
        output: artifactPath(config.builder.artifacts, { kind: 'ebuild-repo', name }, number),
        input: { url, commit, commitTime, fingerprint },
        chroot,
        masters,
        previous,
        builder: config.builder,
        tools,
      },
      context,
    )
    return { name, status: 'snapshot', number, commit }
  })
}

function cloneOf({ builder }: Config, name: string): string {
  return join(builderDirectories(builder.directory).git, 'repos', name)
}

function lockRepo<T>({ builder }: Config, name: string, { signal }: Context, action: () => Promise<T>): Promise<T> {
  const path = join(builderDirectories(builder.directory).locks, `repo-${name}.lock`)
  return withLock(path, { what: `the ebuild repo ${name}`, signal }, action)
}

async function chooseMasters(
  config: Config,
  source: ArtifactSource,
  name: string,
  masters: readonly string[],
): Promise<ChosenSnapshot[]> {
  const chosen = []
  for (const master of masters) {
    if (!config.repos.has(master)) {
      throw configurationError(
        'MASTER_UNKNOWN',
        `the ebuild repo ${name} builds upon ${master}, which the configuration does not have`,
        didYouMean(master, config.repos.keys()) || `add ${master} under repos in ${config.file}`,
      )
    }
    chosen.push(await snapshotOf(source, master))
  }
  return chosen
}

async function latestSnapshot(source: ArtifactSource, name: string): Promise<ChosenSnapshot | undefined> {
  const numbers = await source.numbers({ kind: 'ebuild-repo', name })
  return numbers.length === 0 ? undefined : snapshotOf(source, name)
}

/** The cache of an overlay depends on its masters' eclasses, and on nothing else of theirs. */
async function repoFingerprint({ commit }: Checkout, masters: readonly ChosenSnapshot[]): Promise<string> {
  const eclasses = []
  for (const { name, place } of masters) {
    const { entries } = await fetchManifest(place.source, place.item, place.number, place.pack)
    eclasses.push([name, entries.filter(({ path }) => path.startsWith('eclass/'))])
  }
  return sha256(JSON.stringify([commit, eclasses]))
}
