import type { PlanStep } from '../arch/plan.js'
import type { TreeswapError } from '../model/errors.js'
import { groupBy } from '../model/group-by.js'
import type { RecipeRecord, Recipes, RecipeStatus } from '../model/recipes.js'
import type { RepoPlan } from './plan-repo.js'
import type { Settled } from './settle.js'

/** What became of a recipe, where it was not just kept. */
export interface RecipeOutcome {
  base: string
  status: 'built' | 'failed' | 'skipped' | 'held' | 'removed'
  /** of its new packages */
  version?: string
  /** why it was not built */
  reason?: string
  /** of what failed: TreeswapError */
  code?: string
  hint?: string
}

/** A recipe that could not be built. */
export function failedRecipe(base: string, { message, code, hint }: TreeswapError): RecipeOutcome {
  return { base, status: 'failed', reason: message, code, hint }
}

/**
 * Several sources may have had something of one name: what failed is told, and what became of the others beside it.
 * @returns each name once
 */
export function oncePerRecipe(outcomes: readonly RecipeOutcome[]): RecipeOutcome[] {
  return [...groupBy(outcomes, ({ base }) => base).values()].flatMap(([first, ...others]) => {
    const all = [...(first === undefined ? [] : [first]), ...others]
    const worst = all.find(({ status }) => status === 'failed') ?? first
    if (worst === undefined || others.length === 0) return worst ?? []
    const rest = all.filter((one) => one !== worst)
    const told = [worst.reason, ...rest.map(({ status, version, reason }) => reason ?? [status, version].join(' '))]
    return { ...worst, reason: [...new Set(told)].filter(Boolean).join('; another one of this name: ') }
  })
}

/** `recipes.json` of the new build. */
export function recipesOf(made: {
  architecture: string
  plan: RepoPlan
  before: Recipes | undefined
  settled: Settled
  number: number
  root: ReadonlyMap<string, string>
}): Recipes {
  const { architecture, plan, before, settled, root } = made
  const outcomes = new Map(settled.outcomes.map((outcome) => [outcome.base, outcome]))
  const recipes = new Map<string, RecipeRecord>()
  for (const step of plan.steps) {
    const record = recordOf(step, outcomes.get(step.base), made)
    if (record !== undefined) recipes.set(step.base, record)
  }
  for (const base of [...plan.staying, ...settled.kept.keys()]) {
    const record = before?.recipes.get(base)
    if (record !== undefined) recipes.set(base, stayingRecord(record, settled.kept.get(base)))
  }
  for (const { base, record, error } of plan.broken) {
    if (record !== undefined) recipes.set(base, { ...record, status: 'failed', reason: error.message })
  }
  return { architecture, recipes, root }
}

function recordOf(
  step: PlanStep,
  outcome: RecipeOutcome | undefined,
  { plan, before, settled, number }: { plan: RepoPlan; before: Recipes | undefined; settled: Settled; number: number },
): RecipeRecord | undefined {
  const recipe = plan.recipes.get(step.base)
  if (recipe === undefined) return undefined
  const { source, path, commit, fingerprint, srcinfo, content, sourceDate } = recipe
  const time = { content, seconds: sourceDate }
  const now = { source, commit, fingerprint, time, ...(path !== undefined && { directory: path }) }
  const built = settled.taken.get(step.base)
  if (built !== undefined) {
    const packages = built.packages.map(({ file, record: { info } }) => ({
      name: info.name,
      file,
      version: info.version,
    }))
    const dependencies = new Map(
      step.uses.flatMap((name): [string, string][] => {
        const version = settled.builtWith.get(name)
        return version === undefined ? [] : [[name, version]]
      }),
    )
    const outside = new Map(
      [...built.libraries].filter(([name, { version }]) => settled.builtWith.get(name) !== version),
    )
    return { ...now, version: built.version, packages, built: number, dependencies, outside, status: 'built' }
  }
  const status: RecipeStatus = outcome === undefined || outcome.status === 'removed' ? 'kept' : outcome.status
  const reason = outcome?.reason
  const record = before?.recipes.get(step.base)
  if (record !== undefined) {
    // it may have been moved
    const place = { ...withoutReason(record), source, directory: path }
    return { ...place, status, ...(reason !== undefined && { reason }) }
  }
  const none = { version: srcinfo.version, packages: [], built: 0, dependencies: new Map<string, string>() }
  return { ...now, ...none, status, ...(reason !== undefined && { reason }) }
}

function stayingRecord(record: RecipeRecord, reason: string | undefined): RecipeRecord {
  return reason === undefined ? record : { ...record, status: 'held', reason }
}

function withoutReason(record: RecipeRecord): RecipeRecord {
  const copy = { ...record }
  delete copy.reason
  return copy
}
