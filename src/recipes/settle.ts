import type { BuiltRecipe } from '../arch/build-recipe.js'
import { holdBack, providedNames } from '../arch/hold-back.js'
import type { Change, Held } from '../arch/hold-back.js'
import type { PackageRecord } from '../model/pacman-package.js'
import type { RecipesOutcome } from './build-recipes.js'
import type { RepoPlan } from './plan-repo.js'
import { failedRecipe } from './repo-outcome.js'
import type { RecipeOutcome } from './repo-outcome.js'
import type { TreePackage } from './repo-packages.js'

/** What a run of builds came to. */
export interface Settled {
  /** new packages that are taken, by pkgbase */
  taken: Map<string, BuiltRecipe>
  /** all packages of the tree from now on, by pkgname */
  packages: Map<string, TreePackage>
  outcomes: RecipeOutcome[]
  /** recipes that are gone, and stay because what takes their packages over was not built: pkgbase → why */
  kept: Map<string, string>
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
  outcome: RecipesOutcome,
  had: ReadonlyMap<string, TreePackage>,
  lacking: Lacking,
): Promise<Settled> {
  const held = new Map<string, string>()
  const kept = new Map<string, string>()
  for (;;) {
    const removed = new Set(plan.removed.filter((base) => !kept.has(base)))
    const left = [...had.values()].filter(({ base }) => !removed.has(base))
    const trying = new Map([...outcome.built].filter(([base]) => !held.has(base)))
    const back = new Map((await heldBack(plan, trying, left, lacking)).map(({ base, reason }) => [base, reason]))
    const taken = new Map([...trying].filter(([base]) => !back.has(base)))
    const orphans = takenOverByNone(plan, taken, had, removed)
    const clash = ownedByAnother(plan, taken, left)
    for (const [base, reason] of orphans) kept.set(base, reason)
    for (const [base, reason] of clash) held.set(base, reason)
    if (orphans.size + clash.size > 0) continue
    const reasons = new Map([...held, ...back])
    return {
      taken,
      packages: packagesOf(taken, left),
      outcomes: [
        ...plan.steps.flatMap(({ base }) => outcomeOf(base, outcome, reasons)),
        ...[...kept].map(([base, reason]) => ({ base, status: 'held' as const, reason })),
        ...[...removed].map((base) => ({ base, status: 'removed' as const })),
      ],
      kept,
      builtWith: new Map(
        [...left, ...[...outcome.built.values()].flatMap((one) => one.packages)].map(({ record: { info } }) => [
          info.name,
          info.version,
        ]),
      ),
    }
  }
}

/** Recipes that are gone though the one that has their packages now was not built. */
function takenOverByNone(
  plan: RepoPlan,
  taken: ReadonlyMap<string, BuiltRecipe>,
  had: ReadonlyMap<string, TreePackage>,
  removed: ReadonlySet<string>,
): Map<string, string> {
  const orphans = new Map<string, string>()
  for (const { base, action } of plan.steps) {
    if (action === 'keep' || taken.has(base)) continue
    for (const { name } of plan.recipes.get(base)?.srcinfo.packages ?? []) {
      const owner = had.get(name)?.base
      if (owner === undefined || !removed.has(owner)) continue
      orphans.set(owner, `${name} is to come from ${base} now, which was not built`)
    }
  }
  return orphans
}

/** New packages of a name that another recipe has: one that stays as it was, or the one that names it. */
function ownedByAnother(
  plan: RepoPlan,
  taken: ReadonlyMap<string, BuiltRecipe>,
  left: readonly TreePackage[],
): Map<string, string> {
  const stays = new Map(left.filter(({ base }) => !taken.has(base)).map((one) => [one.record.info.name, one.base]))
  const named = new Map(
    [...plan.recipes].flatMap(([base, { srcinfo }]) => srcinfo.packages.map(({ name }) => [name, base] as const)),
  )
  const clashes = new Map<string, string>()
  for (const [base, { packages }] of taken) {
    for (const { record } of packages) {
      const { name } = record.info
      const owner = stays.get(name)
      const namesIt = named.get(name) ?? base
      if (owner !== undefined) clashes.set(base, `${name} is still made by ${owner}, which stays as it was`)
      else if (namesIt !== base)
        clashes.set(base, `${name} is what the recipe ${namesIt} names, and only that may make it`)
    }
  }
  return clashes
}

function packagesOf(taken: ReadonlyMap<string, BuiltRecipe>, left: readonly TreePackage[]): Map<string, TreePackage> {
  const packages = new Map(left.filter(({ base }) => !taken.has(base)).map((one) => [one.record.info.name, one]))
  for (const [base, { packages: made }] of taken) {
    for (const one of made) packages.set(one.record.info.name, { ...one, base })
  }
  return packages
}

function outcomeOf(
  base: string,
  { built, failed, skipped }: RecipesOutcome,
  held: ReadonlyMap<string, string>,
): RecipeOutcome[] {
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
}

async function heldBack(
  plan: RepoPlan,
  built: ReadonlyMap<string, BuiltRecipe>,
  left: readonly TreePackage[],
  lacking: Lacking,
): Promise<Held[]> {
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
  return await whatIsHeld(changes, staying, names, lacking)
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
