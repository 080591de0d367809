import type { Config } from '../config/config.js'
import type { PacmanConfig } from '../config/pacman.js'
import type { Context } from '../model/report.js'
import { TriedRecipes } from '../recipes/wanted-recipes.js'
import { now, sleep } from '../system/clock.js'
import { FailedBuilds } from './failed-builds.js'
import { runTrees } from './run.js'
import type { RunOutcome, RunRequest } from './run.js'

/**
 * Runs until it is stopped, asking every source for news at its own interval. A repo's news make its machines due.
 * A build that failed is tried again when its inputs change, or when its failure was the host's or the network's.
 * @param onRun called after every round in which something was asked
 */
export async function watchTrees(
  config: Config,
  request: RunRequest,
  context: Context,
  onRun: (outcome: RunOutcome) => void,
): Promise<void> {
  const failed = new FailedBuilds()
  const tried = new TriedRecipes()
  const told = new Map<string, string>()
  const due = new Map(intervals(config).map(({ key }) => [key, 0]))
  while (!context.signal.aborted) {
    const time = now()
    // timers may end a moment early
    if (due.size > 0 && Math.min(...due.values()) > time) {
      await sleep(10, context.signal)
      continue
    }
    const skip = new Set([...due].filter(([, at]) => at > time).map(([key]) => key))
    wakeMachines(config, skip)
    onRun(withoutRepeated(await runTrees(config, { ...request, skip, failed, tried }, context), told))
    for (const { key, seconds } of intervals(config)) {
      if (!skip.has(key)) due.set(key, now() + seconds * 1000)
    }
    const next = Math.min(...due.values())
    await sleep(Math.max(1000, next - now()), context.signal)
  }
}

/** That something was left out is said once for each reason. */
function withoutRepeated({ repos, machines, pacman }: RunOutcome, told: Map<string, string>): RunOutcome {
  const isNews = (kind: string, outcome: RunOutcome[keyof RunOutcome][number]): boolean => {
    const key = `${kind}:${outcome.name}`
    const before = told.get(key)
    if (outcome.status === 'skipped') told.set(key, outcome.reason)
    else told.delete(key)
    return outcome.status !== 'skipped' || outcome.reason !== before
  }
  return {
    repos: repos.filter((outcome) => isNews('repo', outcome)),
    machines: machines.filter((outcome) => isNews('machine', outcome)),
    pacman: pacman.filter((outcome) => isNews('pacman', outcome)),
  }
}

function intervals(config: Config): { key: string; seconds: number }[] {
  return [
    ...[...config.repos.values()].map(({ name, pollSeconds }) => ({ key: `repo:${name}`, seconds: pollSeconds })),
    ...[...config.machines.values()].map(({ name, pollSeconds }) => ({ key: `machine:${name}`, seconds: pollSeconds })),
    ...[...config.pacman.values()].map((repo) => ({ key: `pacman:${repo.name}`, seconds: shortest(repo) })),
  ]
}

/** All sources of a pacman repo are asked together, as often as the one that is asked most often. */
function shortest({ repositories, programs, lists }: PacmanConfig): number {
  return Math.min(...[...repositories, ...programs, ...lists].map(({ pollSeconds }) => pollSeconds))
}

/** A machine is looked at whenever one of its repos is, so that news do not wait for the machine's own interval. */
function wakeMachines(config: Config, skip: Set<string>): void {
  for (const { name, repos } of config.machines.values()) {
    if (repos.some((repo) => !skip.has(`repo:${repo}`))) skip.delete(`machine:${name}`)
  }
}
