import { fetchManifest } from '../artifact/source.js'
import type { BuiltRecipe } from '../arch/build-recipe.js'
import { holdBack, providedNames } from '../arch/hold-back.js'
import type { Change, Held } from '../arch/hold-back.js'
import type { PlanStep } from '../arch/plan.js'
import { packagesPack } from '../model/build.js'
import { buildError } from '../model/errors.js'
import type { TreeswapError } from '../model/errors.js'
import type { PackageRecord } from '../model/pacman-package.js'
import type { RecipeRecord, Recipes, RecipeStatus } from '../model/recipes.js'
import type { BaseBuild } from './base-build.js'
import type { RecipesOutcome } from './build-recipes.js'
import type { RepoPlan } from './plan-repo.js'
import type { TreePackage } from './repo-packages.js'

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

/** What a run of builds came to. */
export interface Settled {
  /** new packages that are taken, by pkgbase */
  taken: Map<string, BuiltRecipe>
  /** all packages of the tree from now on, by pkgname */
  packages: Map<string, TreePackage>
  outcomes: RecipeOutcome[]
  /** version of every package at the time when others were built with it */
  builtWith: Map<string, string>
}

/** Those of some dependencies, as written, that the distribution cannot satisfy. */
type Lacking = (dependencies: readonly string[]) => Promise<string[]>

/**
 * Decides which new packages are taken.
 * @param had packages of the tree before
 * @throws what `lacking` throws; it is asked only of what this tree should have and has not
 */
export async function settle(
  plan: RepoPlan,
  { built, failed, skipped }: RecipesOutcome,
  had: ReadonlyMap<string, TreePackage>,
  lacking: Lacking,
): Promise<Settled> {
  const removed = new Set(plan.removed)
  const left = [...had.values()].filter(({ base }) => !removed.has(base))
  const changes = [...built].map(([base, { packages }]) => ({
    base,
    now: packages.map(({ record }) => record),
    before: left.filter((one) => one.base === base).map(({ record }) => record),
  }))
  const staying = left.filter(({ base }) => !built.has(base)).map(({ record }) => record)
  const names = new Set(
    [
      ...[...plan.recipes.values()].flatMap(({ srcinfo }) => srcinfo.packages),
      ...[...staying, ...changes.flatMap(({ now, before }) => [...now, ...before])].map(({ info }) => info),
    ].flatMap((one) => [...providedNames(one)]),
  )
  const heldBack = await whatIsHeld(changes, staying, names, lacking)
  const held = new Map(heldBack.map(({ base, reason }) => [base, reason]))
  const taken = new Map([...built].filter(([base]) => !held.has(base)))
  const packages = new Map(left.filter(({ base }) => !taken.has(base)).map((one) => [one.record.info.name, one]))
  for (const [base, { packages: made }] of taken) {
    for (const one of made) packages.set(one.record.info.name, { ...one, base })
  }
  const news = [...built.values()].flatMap((one) => one.packages)
  const builtWith = new Map([...left, ...news].map(({ record: { info } }) => [info.name, info.version]))
  const outcomes = plan.steps.flatMap(({ base }): RecipeOutcome[] => {
    const recipe = built.get(base)
    if (recipe !== undefined) {
      const reason = held.get(base)
      return [
        { base, version: recipe.version, ...(reason === undefined ? { status: 'built' } : { status: 'held', reason }) },
      ]
    }
    const error = failed.get(base)
    if (error !== undefined) return [failedRecipe(base, error)]
    const cause = skipped.get(base)
    return cause === undefined ? [] : [{ base, status: 'skipped', reason: `it needs ${cause}, which failed` }]
  })
  return {
    taken,
    packages,
    outcomes: [...outcomes, ...plan.removed.map((base) => ({ base, status: 'removed' as const }))],
    builtWith,
  }
}

/** What the tree has not may still be had from the distribution, which is asked for it. */
async function whatIsHeld(
  changes: readonly Change[],
  staying: readonly PackageRecord[],
  names: ReadonlySet<string>,
  lacking: Lacking,
): Promise<Held[]> {
  const given = new Set<string>()
  const asked = new Set<string>()
  for (;;) {
    const held = holdBack(changes, staying, { names, given })
    const doubtful = [...new Set(held.flatMap(({ lacks }) => lacks ?? []))].filter((one) => !asked.has(one))
    if (doubtful.length === 0) return held
    const lost = await lacking(doubtful)
    for (const one of doubtful) {
      asked.add(one)
      if (!lost.includes(one)) given.add(one)
    }
  }
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
  const { architecture, plan, settled, root } = made
  const outcomes = new Map(settled.outcomes.map((outcome) => [outcome.base, outcome]))
  const recipes = new Map<string, RecipeRecord>()
  for (const step of plan.steps) {
    const record = recordOf(step, outcomes.get(step.base), made)
    if (record !== undefined) recipes.set(step.base, record)
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
  const { source, path, commit, fingerprint, srcinfo } = recipe
  const now = { source, commit, fingerprint, ...(path !== undefined && { directory: path }) }
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
    return { ...withoutReason(record), status, ...(reason !== undefined && { reason }) }
  }
  const none = { version: srcinfo.version, packages: [], built: 0, dependencies: new Map<string, string>() }
  return { ...now, ...none, status, ...(reason !== undefined && { reason }) }
}

function withoutReason(record: RecipeRecord): RecipeRecord {
  const copy = { ...record }
  delete copy.reason
  return copy
}

/**
 * A file name stands for one content for ever: clients keep what they have fetched.
 * @throws PACKAGE_CHANGED
 */
export async function refuseChanged(
  base: BaseBuild | undefined,
  packages: ReadonlyMap<string, TreePackage>,
): Promise<void> {
  const now = new Map([...packages.values()].map(({ file, sha256 }) => [file, sha256]))
  let entries = base?.manifest.entries ?? []
  let build = base?.build
  for (let depth = 0; base !== undefined && build !== undefined && depth < 1000; depth++) {
    for (const entry of entries) {
      const digest = now.get(entry.path)
      if (entry.type !== 'file' || digest === undefined || digest === entry.sha256) continue
      throw changed(entry.path, build.number)
    }
    const before: number | undefined = build.base
    if (before === undefined) return
    build = await base.source.readBuild(base.item, before).then(
      (found) => found.build,
      () => undefined,
    )
    const pack = build && packagesPack(build)
    entries = pack === undefined ? [] : (await fetchManifest(base.source, base.item, before, pack)).entries
  }
}

function changed(file: string, number: number): Error {
  return buildError(
    'PACKAGE_CHANGED',
    `${file} would have another content than in build ${number}`,
    'clients that have it would never take the new one: raise pkgrel in the PKGBUILD',
  )
}
