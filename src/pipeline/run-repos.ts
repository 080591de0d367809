import { join } from 'node:path'
import { fetchManifest, openSource } from '../artifact/source.js'
import type { ArtifactSource } from '../artifact/source.js'
import type { Config, RepoConfig } from '../config/config.js'
import { hasCache } from '../gentoo/md5-cache.js'
import { mastersOf } from '../gentoo/repositories.js'
import { configurationError } from '../model/errors.js'
import { didYouMean } from '../model/names.js'
import type { Context } from '../model/report.js'
import { sha256 } from '../system/hash.js'
import { withLock } from '../system/lock.js'
import { builderDirectories } from './directories.js'
import { ensureChroot } from './ensure-chroot.js'
import { fetchGit } from './git.js'
import type { Checkout } from './git.js'
import { artifactPath } from './output.js'
import { snapshotOf } from './repo-snapshots.js'
import type { ChosenSnapshot } from './repo-snapshots.js'
import { snapshotRepo } from './snapshot.js'

export interface RepoOutcome {
  name: string
  status: 'unchanged' | 'snapshot'
  number: number
  commit: string
}

/** Fetches one ebuild repo and packs it, unless its last snapshot was made from the same commit and eclasses. */
export async function updateRepo(
  config: Config,
  repo: RepoConfig,
  tools: Record<string, string>,
  context: Context,
): Promise<RepoOutcome> {
  const directories = builderDirectories(config.builder.directory)
  const { name } = repo
  const lock = join(directories.locks, `repo-${name}.lock`)
  return withLock(lock, { what: `the ebuild repo ${name}`, signal: context.signal }, async () => {
    context.report.step(`fetching ${name}`)
    const checkout = await fetchGit(repo, join(directories.git, 'repos', name), context)
    const source = openSource(config.builder.artifacts)
    const masters = await chooseMasters(config, source, name, checkout)
    const fingerprint = await repoFingerprint(checkout, masters)
    const previous = await latestSnapshot(source, name)
    const { commit, commitTime } = checkout
    if (previous?.build.inputs[0]?.fingerprint === fingerprint) {
      return { name, status: 'unchanged', number: previous.place.number, commit }
    }
    if (repo.chroot !== undefined && !hasCache(checkout.directory)) await ensureChroot(config, repo.chroot, context)
    const number = (previous?.place.number ?? 0) + 1
    await snapshotRepo(
      {
        directory: checkout.directory,
        name,
        number,
        output: artifactPath(config.builder.artifacts, { kind: 'ebuild-repo', name }, number),
        input: { url: repo.url, commit, commitTime, fingerprint },
        chroot: repo.chroot,
        masters,
        previous,
        builder: config.builder.directory,
        tools,
      },
      context,
    )
    return { name, status: 'snapshot', number, commit }
  })
}

/**
 * Orders repos so that each comes after its masters, as far as those are known from their checkouts.
 * @param masters repo → the repos it builds upon
 */
export function mastersFirst(names: readonly string[], masters: (name: string) => readonly string[]): string[] {
  const ordered = new Set<string>()
  const visit = (name: string, path: readonly string[]): void => {
    if (ordered.has(name) || path.includes(name) || !names.includes(name)) return
    for (const master of masters(name)) visit(master, [...path, name])
    ordered.add(name)
  }
  for (const name of names) visit(name, [])
  return [...ordered]
}

async function chooseMasters(
  config: Config,
  source: ArtifactSource,
  name: string,
  { directory }: Checkout,
): Promise<ChosenSnapshot[]> {
  const chosen = []
  for (const master of mastersOf(directory)) {
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
