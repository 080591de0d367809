import { attempt } from '../agent/attempt.js'
import type { Failure, Skipped } from '../agent/attempt.js'
import { openSource } from '../agent/sources.js'
import type { Config, MachineConfig } from '../config/config.js'
import type { PacmanConfig } from '../config/pacman.js'
import { treeOf, treesOf } from '../config/trees.js'
import { chrootFor, mastersFirst, requireMasters } from '../machines/repo-order.js'
import type { TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import type { TriedRecipes } from '../recipes/wanted-recipes.js'
import type { FailedBuilds } from './failed-builds.js'
import { updateMachine } from './run-machine.js'
import type { MachineOutcome } from './run-machine.js'
import { updateRepoTree } from './run-repo.js'
import type { RepoRunOutcome } from './run-repo.js'
import { fetchRepo, knownMasters, updateRepo } from './run-repos.js'
import type { FetchedRepo, RepoOutcome } from './run-repos.js'

export interface RunOutcome {
  repos: (RepoOutcome | Failure | Skipped)[]
  machines: (MachineOutcome | Failure | Skipped)[]
  pacman: (RepoRunOutcome | Failure | Skipped)[]
}

export interface RunRequest {
  /** trees to bring up to date; none: all */
  trees: readonly string[]
  /** pkgbase of recipes to be built in any case, of pacman repos that have them */
  asked?: ReadonlySet<string>
  /** program → version, recorded in builds */
  tools: Record<string, string>
  /** sources to leave as they are, because their interval has not passed: `repo:NAME`, `machine:NAME`, `pacman:NAME` */
  skip?: ReadonlySet<string>
  /** builds that are not to be tried again, remembered from run to run */
  failed?: FailedBuilds
  /** recipes of pacman repos that are not to be tried again, likewise */
  tried?: TriedRecipes
  /** whether to report also what programs print while recipes are built */
  verbose?: boolean
}

/**
 * Brings trees up to date: fetches and packs their ebuild repos, builds what has changed, publishes what succeeded.
 * One failure does not keep the others from being done; where a repo fails, its last snapshot is used.
 * @throws TREE_UNKNOWN, ABORTED
 */
export async function runTrees(config: Config, request: RunRequest, context: Context): Promise<RunOutcome> {
  const { machines, pacman } = chooseTrees(config, request.trees)
  const skip = request.skip ?? new Set<string>()
  const run: Run = { config, request, context, masters: new Map(), lost: new Map() }
  const fetched = await fetchRepos(run, machines, skip)
  const repos: RunOutcome['repos'] = []
  for (const name of mastersFirst([...fetched.keys()], run.masters)) {
    const outcome = await snapshotFetched(run, name, fetched.get(name))
    if (outcome !== undefined) repos.push(outcome)
  }
  const built: RunOutcome['machines'] = []
  for (const machine of machines) {
    if (!skip.has(`machine:${machine.name}`)) built.push(await buildMachine(run, machine))
  }
  const repoTrees: RunOutcome['pacman'] = []
  for (const repo of pacman) {
    if (skip.has(`pacman:${repo.name}`)) continue
    const { name } = repo
    repoTrees.push(
      await attempt(name, `building ${name}`, context, () => updateRepoTree(config, repo, request, context)),
    )
  }
  return { repos, machines: built, pacman: repoTrees }
}

/** The failure that decides a run's exit code: the first that is nobody's consequence, repos before trees. */
export function firstFailure({ repos, machines, pacman }: RunOutcome): TreeswapError | undefined {
  const failed = [...repos, ...machines, ...pacman].find((outcome) => outcome.status === 'failed')?.error
  return (
    failed ??
    pacman.flatMap((repo) => ('uploads' in repo ? repo.uploads : [])).find(({ error }) => error !== undefined)?.error
  )
}

interface Run {
  config: Config
  request: RunRequest
  context: Context
  masters: Map<string, readonly string[]>
  /** repos that have no new snapshot → the repo that failed */
  lost: Map<string, string>
}

/**
 * Fetches the repos of machines and whatever these build upon, so that their order is known before any is packed.
 * @returns undefined for a repo that is left as it is
 */
async function fetchRepos(
  { config, context, masters }: Run,
  machines: readonly MachineConfig[],
  skip: ReadonlySet<string>,
): Promise<Map<string, FetchedRepo | Failure | undefined>> {
  const fetched = new Map<string, FetchedRepo | Failure | undefined>()
  const names = new Set([...machines.map(({ mainRepo }) => mainRepo), ...machines.flatMap(({ repos }) => repos)])
  for (const name of names) {
    const repo = config.repos.get(name)
    if (repo === undefined) continue
    const result = await attempt(name, `fetching ${name}`, context, async () => {
      const isLeft = skip.has(`repo:${name}`) && (await lastNumber(config, name)) !== undefined
      if (!isLeft) return await fetchRepo(config, repo, context)
      masters.set(name, knownMasters(config, name))
      return undefined
    })
    fetched.set(name, result)
    if (result !== undefined && !('status' in result)) masters.set(name, result.masters)
    for (const master of masters.get(name) ?? []) names.add(master)
  }
  return fetched
}

async function snapshotFetched(
  { config, request, context, masters, lost }: Run,
  name: string,
  fetched: FetchedRepo | Failure | undefined,
): Promise<RunOutcome['repos'][number] | undefined> {
  if (fetched === undefined) return undefined
  const outcome =
    'status' in fetched
      ? fetched
      : await attempt(name, `packing ${name}`, context, async () => {
          const cause = await missingBecause(config, fetched.masters, lost)
          if (cause !== undefined) return notBuilt(name, cause)
          return updateRepo(config, fetched, chrootFor(config, name, masters), request.tools, context)
        })
  if (outcome.status === 'failed') lost.set(name, name)
  if (outcome.status === 'skipped') lost.set(name, outcome.because ?? name)
  return outcome
}

async function buildMachine(
  { config, request, context, masters, lost }: Run,
  machine: MachineConfig,
): Promise<RunOutcome['machines'][number]> {
  const { name, repos } = machine
  return attempt(name, `building ${name}`, context, async () => {
    const cause = await missingBecause(config, repos, lost)
    if (cause !== undefined) return notBuilt(name, cause)
    requireMasters(config, machine, masters)
    const outcome = await updateMachine(config, machine, request.tools, context, request.failed)
    if (outcome.status === 'skipped') return outcome
    const earlier = []
    for (const repo of repos.filter((used) => lost.has(used))) {
      earlier.push({ name: repo, number: (await lastNumber(config, repo)) ?? 0 })
    }
    return { ...outcome, ...(earlier.length > 0 && { earlier }) }
  })
}

/** The failure because of which one of these repos has no snapshot at all. */
async function missingBecause(
  config: Config,
  names: readonly string[],
  lost: ReadonlyMap<string, string>,
): Promise<string | undefined> {
  for (const name of names) {
    const cause = lost.get(name)
    if (cause !== undefined && (await lastNumber(config, name)) === undefined) return cause
  }
  return undefined
}

async function lastNumber({ builder }: Config, name: string): Promise<number | undefined> {
  return (await openSource(builder.artifacts).numbers({ kind: 'ebuild-repo', name })).at(-1)
}

function notBuilt(name: string, cause: string): Skipped {
  return { name, status: 'skipped', reason: `${cause} failed`, because: cause }
}

function chooseTrees(config: Config, names: readonly string[]): { machines: MachineConfig[]; pacman: PacmanConfig[] } {
  const trees = names.length === 0 ? [...treesOf(config).values()] : names.map((name) => treeOf(config, name))
  return {
    machines: trees.flatMap((tree) => (tree.kind === 'machine' ? [tree.machine] : [])),
    pacman: trees.flatMap((tree) => (tree.kind === 'pacman-repo' ? [tree.repo] : [])),
  }
}
