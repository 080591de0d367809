import { configurationError } from '../model/errors.js'
import type { TreeswapError } from '../model/errors.js'
import { didYouMean } from '../model/names.js'
import { compareVersions } from '../model/pacman-version.js'
import { packageVersions } from '../model/recipes.js'
import type { RecipeRecord, Recipes } from '../model/recipes.js'
import type { RecipeLinks } from './plan-graph.js'
import { membersOf } from './plan-members.js'
import { reasonsFor } from './plan-reasons.js'
import type { Surroundings } from './plan-reasons.js'
import type { Unread } from './plan-unread.js'
import type { Srcinfo } from './srcinfo.js'

/** A recipe as it is now. */
export interface PlannedRecipe {
  srcinfo: Srcinfo
  /** digest of its files, its options and the heads of its VCS sources: hex */
  fingerprint: string
  /** URL of its source, as in the configuration */
  source: string
  /** base URL of the list through which it was found; undefined: its source is the configuration's own */
  list: string | undefined
}

export interface PlanRequest {
  recipes: readonly PlannedRecipe[]
  /** of the base build */
  before: Pick<Recipes, 'recipes'> | undefined
  /** pkgbase of those to be built in any case */
  asked: ReadonlySet<string>
  /** pkgbase → sonames its packages need that the root no longer has */
  missing: ReadonlyMap<string, readonly string[]>
  /** pkgname → URL of the source it is taken from where several have it */
  prefer: ReadonlyMap<string, string>
  /** nothing that came from there is removed, and nothing takes its place */
  unread?: readonly Unread[]
  /** names that no recipe may have; default: none */
  reserved?: ReadonlySet<string>
}

export interface PlanStep {
  base: string
  action: 'build' | 'keep'
  /** reasons to build it, to be read by people: each one a phrase that goes on from "will be built: " */
  why: string[]
  /** only because of what it is built with: see stillNeeded */
  follows: boolean
  /** pkgbase of those in this tree that have to be built before, also what their packages need when installed; sorted */
  needs: string[]
  /** packages of this tree that it is built with, sorted; their versions go into its record's `dependencies` */
  uses: string[]
  /** pkgbase of those in this tree that its packages need when installed, though it can be built without; sorted */
  wants: string[]
  /** versions of packages of this tree that the packages there are were built with */
  builtWith: ReadonlyMap<string, string>
  /** highest version that the tree has of any of its packages: what a new one has to rise above */
  previous: string | undefined
}

export interface RecipePlan {
  /** every recipe once, each after what it needs */
  steps: PlanStep[]
  /** pkgbase of those in the base build that are gone, sorted */
  removed: string[]
  /** pkgbase of those in the base build of which nobody knows, as something could not be read: they stay, sorted */
  staying: string[]
  /** what the tree consists of */
  chosen: PlannedRecipe[]
  /** recipes left out because their packages are taken from other sources */
  replaced: { base: string; source: string; why: string }[]
  /** recipes of lists that get in the way of others: what the tree has of them is among the staying */
  refused: ReadonlyMap<PlannedRecipe, TreeswapError>
  /** dependencies that no recipe of this tree provides, as written → pkgbase of those that want them */
  unresolved: ReadonlyMap<string, string[]>
}

/**
 * What has to be built, why, and in which order.
 * @throws PACKAGE_TWICE, RECIPE_UNKNOWN, RECIPES_CYCLIC
 */
export function planRecipes(request: PlanRequest): RecipePlan {
  const { before, prefer, asked, unread = [], reserved = new Set() } = request
  const members = membersOf(request.recipes, unread, { prefer, before, reserved })
  const { chosen, graph, order, staying, replaced, usurping, refused } = members
  const recipes = new Map(chosen.map((recipe) => [recipe.srcinfo.base, recipe]))
  for (const base of asked) if (!recipes.has(base)) throw refusal(base, refused) ?? unknown(base, recipes.keys())
  const tree = surroundings(chosen, [...staying.values()], before)
  const steps: PlanStep[] = []
  for (const base of order) {
    const [recipe, links] = [recipes.get(base), graph.recipes.get(base)]
    if (recipe === undefined || links === undefined) continue
    const step = planStep(recipe, links, request, tree)
    if (step.action === 'build') for (const { name } of recipe.srcinfo.packages) tree.built.add(name)
    steps.push(step)
  }
  const taken = `its packages come from another source, which ${refused.size === 0 ? 'could not be read' : 'cannot be taken as it is now'}`
  return {
    steps,
    chosen: chosen.toSorted((a, b) => (a.srcinfo.base < b.srcinfo.base ? -1 : 1)),
    removed: [...(before?.recipes.keys() ?? [])].filter((base) => !recipes.has(base) && !staying.has(base)).sort(),
    staying: [...staying.keys()].sort(),
    replaced: [
      ...replaced.map((recipe) => leftOut(recipe, 'another source is preferred')),
      ...usurping.map((recipe) => leftOut(recipe, taken)),
    ],
    refused,
    unresolved: graph.unresolved,
  }
}

function refusal(base: string, refused: RecipePlan['refused']): TreeswapError | undefined {
  return [...refused].find(([{ srcinfo }]) => srcinfo.base === base)?.[1]
}

function leftOut({ srcinfo, source }: PlannedRecipe, why: string): RecipePlan['replaced'][number] {
  return { base: srcinfo.base, source, why }
}

function surroundings(
  chosen: readonly PlannedRecipe[],
  staying: readonly RecipeRecord[],
  before: PlanRequest['before'],
) {
  const makers = [...chosen.map(({ srcinfo }) => srcinfo.packages), ...staying.map(({ packages }) => packages)]
  const names = new Set(makers.flatMap((packages) => packages.map(({ name }) => name)))
  const built = new Set<string>()
  const versions = before === undefined ? new Map<string, string>() : packageVersions(before)
  return { built, versions, has: (name: string) => names.has(name), isBuilt: (name: string) => built.has(name) }
}

function planStep(recipe: PlannedRecipe, links: RecipeLinks, request: PlanRequest, tree: Surroundings): PlanStep {
  const { srcinfo, fingerprint } = recipe
  const { base } = srcinfo
  const record = request.before?.recipes.get(base)
  const uses = [...links.uses].sort()
  const missing = request.missing.get(base) ?? []
  const { own, following } = reasonsFor({ fingerprint, record, asked: request.asked.has(base), missing, uses }, tree)
  const names = [...srcinfo.packages, ...(record?.packages ?? [])].map(({ name }) => name)
  return {
    base,
    action: own.length + following.length > 0 ? 'build' : 'keep',
    why: [...own, ...following],
    follows: own.length === 0 && following.length > 0,
    needs: [...links.needs].sort(),
    uses,
    wants: [...links.wants].sort(),
    builtWith: record?.dependencies ?? new Map(),
    previous: names
      .flatMap((name) => tree.versions.get(name) ?? [])
      .sort(compareVersions)
      .at(-1),
  }
}

function unknown(base: string, known: Iterable<string>): Error {
  return configurationError(
    'RECIPE_UNKNOWN',
    `no source has a recipe ${base}`,
    didYouMean(base, known) || 'name the pkgbase of a recipe, as `treeswap plan --all` lists them',
  )
}
