import { join } from 'node:path'
import { openLog } from '../agent/build-log.js'
import type { BuilderDirectories } from '../agent/directories.js'
import { buildRecipe } from '../arch/build-recipe.js'
import type { BuiltRecipe } from '../arch/build-recipe.js'
import { isDebug } from '../arch/debug-package.js'
import { afterFailure, ready, stillNeeded } from '../arch/plan-schedule.js'
import type { PlanStep } from '../arch/plan.js'
import type { RootService } from '../chroot/requests.js'
import type { PacmanConfig } from '../config/pacman.js'
import { TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { makeDirectory, makeTemporaryDirectory, removeTree } from '../system/files.js'
import { failureText } from './failure-text.js'
import { keptSources } from './kept-sources.js'
import type { KnownRecipe, RepoPlan } from './plan-repo.js'
import { copyRecipe } from './recipe-copy.js'
import { removeLent } from './remove-lent.js'
import { makeStaging } from './staging.js'
import type { StagedPackage } from './staging.js'

export interface RecipesRun {
  repo: PacmanConfig
  plan: RepoPlan
  directories: BuilderDirectories
  service: RootService
  /** packages that the tree has, by pkgname: what is built takes their place */
  packages: Map<string, StagedPackage & { base: string }>
  /** of this run; on the disk of the packages */
  work: string
  /** gets a log per recipe */
  logs: string
}

export interface RecipesOutcome {
  built: Map<string, BuiltRecipe>
  failed: Map<string, TreeswapError>
  /** because of what they need: pkgbase → pkgbase of the first that failed */
  skipped: Map<string, string>
}

/** Bytes of a recipe's output that are recorded, and told: some print without end. */
const MOST_OF_A_LOG = 32 * 1024 * 1024

/**
 * Builds what a plan says, as many recipes at a time as the repo allows, each after what it needs. What fails keeps
 * nothing but its dependants from being built.
 * @throws ABORTED, and what is the host's fault rather than a recipe's
 */
export async function buildRecipes(run: RecipesRun, context: Context): Promise<RecipesOutcome> {
  const { plan, repo, packages } = run
  const outcome: RecipesOutcome = { built: new Map(), failed: new Map(), skipped: new Map() }
  const done = new Set<string>()
  const begun = new Set<string>()
  const running = new Set<Promise<void>>()
  const total = plan.steps.filter(({ action }) => action === 'build').length
  let fatal: { error: unknown } | undefined

  const begin = async (step: PlanStep): Promise<void> => {
    const versions = new Map([...packages.values()].map(({ record: { info } }) => [info.name, info.version]))
    if (!stillNeeded(step, versions)) {
      done.add(step.base)
      return
    }
    const recipe = plan.recipes.get(step.base)
    if (recipe === undefined) return
    try {
      const built = await buildOne(run, step, recipe, context)
      outcome.built.set(step.base, built)
      context.report.step(`${step.base} ${built.version}: built`)
      replacePackages(packages, step.base, built)
      done.add(step.base)
    } catch (error) {
      const fault = ownFault(error)
      if (fault === undefined) fatal ??= { error }
      else {
        outcome.failed.set(step.base, fault)
        context.report.warn(failureText(step.base, fault, join(run.logs, `${step.base}.log`)))
      }
    }
    context.report.progress(outcome.built.size + outcome.failed.size, total)
  }

  for (;;) {
    if (fatal === undefined) {
      for (const step of ready(plan, done, begun).slice(0, repo.parallel - running.size)) {
        begun.add(step.base)
        const work = begin(step).finally(() => running.delete(work))
        running.add(work)
      }
    }
    if (running.size === 0) break
    await Promise.race(running)
  }
  if (fatal !== undefined) throw fatal.error
  for (const base of afterFailure(plan, outcome.failed.keys())) {
    const cause = plan.steps
      .find((step) => step.base === base)
      ?.needs.find((need) => outcome.failed.has(need) || outcome.skipped.has(need))
    outcome.skipped.set(base, outcome.skipped.get(cause ?? '') ?? cause ?? base)
  }
  return outcome
}

/** Undefined for what another recipe would meet as well: the host, the root, a stop. */
function ownFault(error: unknown): TreeswapError | undefined {
  if (!(error instanceof TreeswapError)) return undefined
  return error.category === 'aborted' || error.category === 'infrastructure' ? undefined : error
}

async function buildOne(
  { repo, directories, service, packages, work, logs }: RecipesRun,
  step: PlanStep,
  recipe: KnownRecipe,
  context: Context,
): Promise<BuiltRecipe> {
  const { base } = step
  const place = makeTemporaryDirectory(join(work, `${base}-`))
  const log = openLog(join(logs, `${base}.log`), MOST_OF_A_LOG)
  context.report.step(`building ${base}: ${step.why.join('; ')}`)
  const own = {
    recipe: join(place, 'recipe'),
    sources: join(directories.distfiles, repo.chroot, repo.name, keptSources(base, recipe)),
    output: join(work, 'built', base),
    staging: join(place, 'staging'),
  }
  try {
    await copyRecipe(recipe, own.recipe, context)
    await makeStaging(own.staging, [...packages.values()])
    for (const directory of [own.sources, own.output]) makeDirectory(directory)
    const built = await buildRecipe(
      {
        base,
        names: recipe.srcinfo.packages.map(({ name }) => name),
        directories: own,
        chroot: repo.chroot,
        architecture: repo.architecture,
        packager: repo.packager,
        sourceDate: recipe.sourceDate,
        limits: repo.limits,
        network: repo.network.has(base),
        release: recipe.release !== undefined,
        previous: step.previous,
        record: (line) => {
          if (log.record(line)) context.report.line(`${base}: ${line}`)
        },
      },
      service,
      context,
    )
    return repo.debug ? built : { ...built, packages: built.packages.filter(({ record }) => !isDebug(record)) }
  } catch (error) {
    if (error instanceof TreeswapError && error.code === 'LIMIT_DISK') {
      // others need the room, and the next try would begin with full sources
      const removed = removeLent([own.sources, own.output], repo.chroot, service, context)
      await removed.catch((later: unknown) => context.report.warn(`${base}: ${String(later)}`))
    }
    throw error
  } finally {
    log.end()
    removeTree(place)
  }
}

function replacePackages(packages: RecipesRun['packages'], base: string, { packages: made }: BuiltRecipe): void {
  for (const [name, one] of packages) if (one.base === base) packages.delete(name)
  for (const one of made) packages.set(one.record.info.name, { ...one, base })
}
