import fc from 'fast-check'
import { planRecipes } from '../../src/arch/plan.js'
import type { PlannedRecipe, PlanRequest, RecipePlan } from '../../src/arch/plan.js'
import type { Srcinfo, SrcinfoPackage } from '../../src/arch/srcinfo.js'
import type { RecipeRecord } from '../../src/model/recipes.js'

export const SOURCE = 'https://git.example.org/packages.git'

interface Described extends Partial<Omit<Srcinfo, 'packages'>> {
  packages?: (Partial<SrcinfoPackage> & { name: string })[]
  fingerprint?: string
  source?: string
  list?: string
}

/** A recipe as the planner takes it: one package of the same name, unless told otherwise. */
export function recipe(base: string, { packages, fingerprint, source, list, ...rest }: Described = {}): PlannedRecipe {
  const depends = rest.depends ?? []
  const empty = { arch: ['any'], optDepends: [], provides: [], conflicts: [], replaces: [], groups: [] }
  const srcinfo = {
    base,
    version: '1-1',
    pkgver: '1',
    pkgrel: '1',
    epoch: undefined,
    arch: ['any'],
    depends,
    makeDepends: [],
    checkDepends: [],
    sources: [],
    validPgpKeys: [],
    ...rest,
    packages: (packages ?? [{ name: base }]).map((one) => ({ ...empty, depends, ...one })),
  }
  return { srcinfo, fingerprint: fingerprint ?? 'a'.repeat(64), source: source ?? SOURCE, list }
}

/** Where packages of lists lie. */
const LISTED = 'https://aur.example.org'

/** A recipe of somebody else, as a list names it. */
export function listed(name: string, { base = name, ...rest }: Described = {}): PlannedRecipe {
  return recipe(base, { source: `${LISTED}/${name}.git`, list: LISTED, ...rest })
}

export function plan(recipes: PlannedRecipe[], rest: Partial<PlanRequest> = {}): RecipePlan {
  return planRecipes({ before: undefined, asked: new Set(), missing: new Map(), prefer: new Map(), ...rest, recipes })
}

/** What the base build says after all of these were built. */
export function allBuilt(
  recipes: PlannedRecipe[],
  changes: Record<string, Partial<RecipeRecord>> = {},
): { recipes: Map<string, RecipeRecord> } {
  const uses = new Map(plan(recipes).steps.map((step) => [step.base, step.uses]))
  const versions = new Map(
    recipes.flatMap(({ srcinfo }) => srcinfo.packages.map(({ name }) => [name, srcinfo.version])),
  )
  const records = recipes.map(({ srcinfo, fingerprint, source }): [string, RecipeRecord] => [
    srcinfo.base,
    {
      source,
      commit: 'c'.repeat(40),
      fingerprint,
      version: srcinfo.version,
      packages: srcinfo.packages.map(({ name }) => made(name, srcinfo.version)),
      built: 1,
      dependencies: new Map(uses.get(srcinfo.base)?.map((name) => [name, versions.get(name) ?? ''])),
      status: 'built',
      ...changes[srcinfo.base],
    },
  ])
  return { recipes: new Map(records) }
}

export function made(name: string, version: string) {
  return { name, version, file: `${name}-${version}-any.pkg.tar.zst` }
}

export function toBuild({ steps }: RecipePlan): string[] {
  return steps.filter(({ action }) => action === 'build').map(({ base }) => base)
}

/**
 * Recipes that need each other in any way without cycles: plain dependencies of all kinds, through provided names and
 * through one package of a split recipe. `edges` is what each needs directly to be built.
 */
export const acyclic: fc.Arbitrary<{ recipes: PlannedRecipe[]; edges: Map<string, Set<string>> }> = fc
  .integer({ min: 1, max: 25 })
  .chain((size) =>
    fc.tuple(
      fc.shuffledSubarray(
        Array.from({ length: size }, (_, index) => `r${index}`),
        { minLength: size },
      ),
      fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1), fc.nat(2), fc.nat(2)), { maxLength: size * 3 }),
    ),
  )
  .map(([bases, pairs]) => {
    const edges = new Map(bases.map((base) => [base, new Set<string>()]))
    const wanted = new Map(bases.map((base) => [base, [[], [], []] as string[][]]))
    for (const [one, two, kind, form] of pairs) {
      const [low, high] = [bases[Math.min(one, two)]!, bases[Math.max(one, two)]!]
      if (low === high) continue
      edges.get(high)!.add(low)
      wanted.get(high)![kind]!.push([low, `virtual-${low}>=1`, `${low}-tools`][form]!)
    }
    const recipes = bases.map((base) => {
      const [depends = [], makeDepends = [], checkDepends = []] = wanted.get(base)!
      const packages = [{ name: base, provides: [`virtual-${base}=1.2`] }, { name: `${base}-tools` }]
      return recipe(base, { depends, makeDepends, checkDepends, packages })
    })
    return { recipes, edges }
  })

/** All that leads to `start`, itself left out. */
export function dependantsOf(start: Iterable<string>, edges: ReadonlyMap<string, ReadonlySet<string>>): Set<string> {
  const found = new Set(start)
  const own = new Set(found)
  for (let size = -1; size !== found.size;) {
    size = found.size
    for (const [base, needs] of edges) if ([...needs].some((need) => found.has(need))) found.add(base)
  }
  return new Set([...found].filter((base) => !own.has(base)))
}
