import { join } from 'node:path'
import type { Config, MachineConfig } from '../config/config.js'
import { mastersOf } from '../gentoo/repositories.js'
import { configurationError, TreeswapError } from '../model/errors.js'
import { didYouMean } from '../model/names.js'
import type { Context } from '../model/report.js'
import { builderDirectories } from './directories.js'
import { mastersFirst, updateRepo } from './run-repos.js'
import type { RepoOutcome } from './run-repos.js'
import { updateMachine } from './run-machine.js'
import type { MachineOutcome } from './run-machine.js'

export interface Failure {
  name: string
  status: 'failed'
  error: TreeswapError
}

export interface RunOutcome {
  repos: (RepoOutcome | Failure)[]
  machines: (MachineOutcome | Failure)[]
}

export interface RunRequest {
  /** trees to bring up to date; none: all */
  trees: readonly string[]
  /** program → version, recorded in builds */
  tools: Record<string, string>
  /** sources to leave as they are, because their interval has not passed: `repo:NAME`, `machine:NAME` */
  skip?: ReadonlySet<string>
}

/**
 * Brings trees up to date: fetches and packs their ebuild repos, builds what has changed, publishes what succeeded.
 * One failure does not keep the others from being done; where a repo fails, its last snapshot is used.
 * @throws TREE_UNKNOWN, ABORTED
 */
export async function runTrees(config: Config, request: RunRequest, context: Context): Promise<RunOutcome> {
  const machines = chooseMachines(config, request.trees)
  const skip = request.skip ?? new Set<string>()
  const repos: RunOutcome['repos'] = []
  for (const name of reposOf(config, machines)) {
    const repo = config.repos.get(name)
    if (repo === undefined || skip.has(`repo:${name}`)) continue
    repos.push(await attempt(name, context, () => updateRepo(config, repo, request.tools, context)))
  }
  const built: RunOutcome['machines'] = []
  for (const machine of machines) {
    if (skip.has(`machine:${machine.name}`)) continue
    built.push(await attempt(machine.name, context, () => updateMachine(config, machine, request.tools, context)))
  }
  return { repos, machines: built }
}

/** The failure that decides a run's exit code: a machine's before a repo's. */
export function firstFailure({ repos, machines }: RunOutcome): TreeswapError | undefined {
  return [...machines, ...repos].find((outcome) => outcome.status === 'failed')?.error
}

function chooseMachines(config: Config, trees: readonly string[]): MachineConfig[] {
  if (trees.length === 0) return [...config.machines.values()]
  return trees.map((tree) => {
    const machine = config.machines.get(tree)
    if (machine !== undefined) return machine
    throw configurationError(
      'TREE_UNKNOWN',
      `${config.file} has no machine ${tree}`,
      didYouMean(tree, config.machines.keys()) || `it has ${[...config.machines.keys()].join(', ') || 'none'}`,
    )
  })
}

function reposOf(config: Config, machines: readonly MachineConfig[]): string[] {
  const clones = join(builderDirectories(config.builder.directory).git, 'repos')
  const masters = (name: string) => mastersOf(join(clones, name)).filter((master) => config.repos.has(master))
  const main = machines.map(({ mainRepo }) => mainRepo)
  const named = [...new Set([...main, ...machines.flatMap(({ repos }) => repos)])]
  const all = [...new Set(named.flatMap((name) => [...masters(name), name]))]
  return mastersFirst(all, masters)
}

async function attempt<T>(name: string, { report, signal }: Context, action: () => Promise<T>): Promise<T | Failure> {
  try {
    return await action()
  } catch (error) {
    if (!(error instanceof TreeswapError) || signal.aborted || error.category === 'aborted') throw error
    report.warn(`${name}: ${error.message} (${error.code})`)
    return { name, status: 'failed', error }
  }
}
