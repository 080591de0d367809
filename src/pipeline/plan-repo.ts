import { lackingIn } from '../arch/root-packages.js'
import { parseDependency } from '../arch/dependency.js'
import { planRecipes } from '../arch/plan.js'
import type { PlannedRecipe, RecipePlan } from '../arch/plan.js'
import { isWithin } from '../arch/plan-unread.js'
import type { Srcinfo } from '../arch/srcinfo.js'
import type { RootService } from '../chroot/requests.js'
import type { PacmanConfig } from '../config/pacman.js'
import { TreeswapError } from '../model/errors.js'
import { isPackageName } from '../model/pacman-package.js'
import type { RecipeRecord, Recipes } from '../model/recipes.js'
import type { Context } from '../model/report.js'
import type { Clones } from './clones.js'
import type { BuilderDirectories } from './directories.js'
import { inTurns } from './in-turns.js'
import { RecipeCheckouts } from './recipe-checkouts.js'
import { fingerprintOf } from './recipe-heads.js'
import { findListed, findRecipes, listedUrl } from './recipe-sources.js'
import type { FoundRecipe, FoundRecipes, LostRecipe } from './recipe-sources.js'
import { readRecipes } from './recipe-srcinfo.js'
import { sourceDateOf } from './source-date.js'

/** A recipe that can be built. */
export interface KnownRecipe extends FoundRecipe, PlannedRecipe {
  srcinfo: Srcinfo
  /** seconds since 1970: what its packages take for the time when they are built */
  sourceDate: number
}

/** A recipe that could not be fetched or read: what the tree has of it stays. */
interface BrokenRecipe {
  /** pkgbase where it is known from before, else what names it best */
  base: string
  error: TreeswapError
  /** of before */
  record: RecipeRecord | undefined
}

export interface RepoPlan extends RecipePlan {
  /** by pkgbase */
  recipes: ReadonlyMap<string, KnownRecipe>
  broken: BrokenRecipe[]
}

export interface PlanContext {
  repo: PacmanConfig
  directories: BuilderDirectories
  service: RootService
  /** of the base build */
  before: Recipes | undefined
  /** pkgbase of recipes to be built in any case */
  asked: ReadonlySet<string>
  missing: ReadonlyMap<string, readonly string[]>
}

/** Repositories that are asked for their heads at a time. */
const AT_A_TIME = 8

/**
 * Fetches all recipes of a pacman repo and finds out what has to be built. Packages that recipes of a list need, and
 * that neither this repo nor the root has, are looked for where that list's packages come from.
 * @throws what planRecipes and a scratch session throw
 */
export async function planRepo(request: PlanContext, clones: Clones, context: Context): Promise<RepoPlan> {
  const { repo, before, asked, missing } = request
  context.report.step(`fetching the recipes of ${repo.name}`)
  const checkouts = new RecipeCheckouts(clones, context)
  const { found, lost } = await findRecipes(repo, checkouts, context)
  const recipes: KnownRecipe[] = []
  const plan = (wanted: ReadonlySet<string>) => {
    const unread = lost.map((one) => {
      const base = recordOf(one, before)?.[0]
      const isThatAlone = base !== undefined && one.path !== undefined && one.unread === one.source
      return { base, url: isThatAlone ? undefined : one.unread }
    })
    return planRecipes({ recipes, before, asked: wanted, missing, prefer: repo.prefer, unread })
  }
  const looked = new Set(found.map(({ source }) => source))
  for (let fresh = found; fresh.length > 0;) {
    recipes.push(...(await understand(fresh, request, lost, context)))
    const { unresolved } = plan(new Set())
    const listed = await dependenciesFromLists(unresolved, { recipes, lost, looked, checkouts }, request, context)
    // whoever needs what was never there says what is missing
    lost.push(...listed.lost.filter((one) => recordOf(one, before) !== undefined))
    fresh = listed.found
  }
  const planned = plan(asked)
  const chosen = new Set<PlannedRecipe>(planned.chosen)
  return {
    ...planned,
    recipes: new Map(recipes.filter((one) => chosen.has(one)).map((recipe) => [recipe.srcinfo.base, recipe])),
    broken: lost.map((one): BrokenRecipe => {
      const [base = one.name, record] = recordOf(one, before) ?? []
      return { base, error: one.error, record }
    }),
  }
}

/** Reads recipes; what cannot be read joins the lost ones. */
async function understand(
  found: readonly FoundRecipe[],
  { repo, directories, service, before }: PlanContext,
  lost: LostRecipe[],
  context: Context,
): Promise<KnownRecipe[]> {
  const asked = new Map<string, Promise<string>>()
  const known = await inTurns(
    await readRecipes(found, repo, directories, service, context),
    AT_A_TIME,
    async (recipe): Promise<KnownRecipe | undefined> => {
      try {
        if ('error' in recipe) throw recipe.error
        const fingerprint = await fingerprintOf(recipe, recipe.srcinfo.sources, asked, context)
        const sourceDate = sourceDateOf(recipe, before?.recipes.get(recipe.srcinfo.base))
        return { ...recipe, fingerprint, sourceDate }
      } catch (error) {
        if (!(error instanceof TreeswapError) || error.category === 'aborted') throw error
        const { source, path } = recipe
        const name = 'srcinfo' in recipe ? recipe.srcinfo.base : (path ?? source)
        const list = repo.lists.find(({ base }) => isWithin(source, [base]))
        // what a listed package needs is known from its recipe alone
        lost.push({ name, source, path, error, unread: list?.base ?? source })
        return undefined
      }
    },
  )
  return known.filter((recipe) => recipe !== undefined)
}

/** What the tree has of a recipe, with its pkgbase. */
function recordOf(
  { source, path }: Pick<LostRecipe, 'source' | 'path'>,
  before: Recipes | undefined,
): [string, RecipeRecord] | undefined {
  return [...(before?.recipes ?? [])].find(([, one]) => one.source === source && one.directory === path)
}

interface Search {
  recipes: readonly KnownRecipe[]
  lost: readonly LostRecipe[]
  /** dependencies and URLs that were looked for before */
  looked: Set<string>
  checkouts: RecipeCheckouts
}

/** What the base build says of the recipe that makes a package. */
function ownerOf(name: string, before: Recipes | undefined): RecipeRecord | undefined {
  return [...(before?.recipes.values() ?? [])].find(({ packages }) => packages.some((one) => one.name === name))
}

/** Looks for packages that recipes of a list need where that list's packages come from. */
async function dependenciesFromLists(
  unresolved: ReadonlyMap<string, string[]>,
  { recipes, lost, looked, checkouts }: Search,
  { repo, service, before }: PlanContext,
  context: Context,
): Promise<FoundRecipes> {
  const listOf = (base: string): string | undefined => {
    const source = recipes.find(({ srcinfo }) => srcinfo.base === base)?.source
    return repo.lists.find((list) => source !== undefined && isWithin(source, [list.base]))?.base
  }
  // a stranger may have given a package the name of one of ours
  const isStrange = (name: string, base: string): boolean => {
    const owner = ownerOf(name, before)
    return owner === undefined ? lost.some(({ unread }) => !isWithin(unread, [base])) : !isWithin(owner.source, [base])
  }
  const wanted = new Map<string, string>()
  for (const [dependency, bases] of unresolved) {
    const list = bases.map(listOf).find((one) => one !== undefined)
    if (list !== undefined && !looked.has(dependency)) wanted.set(dependency, list)
    looked.add(dependency)
  }
  const listed: FoundRecipes = { found: [], lost: [] }
  for (const dependency of await lackingIn([...wanted.keys()], repo.chroot, service, context)) {
    const name = parseDependency(dependency)?.name
    const base = wanted.get(dependency)
    if (name === undefined || !isPackageName(name) || base === undefined || isStrange(name, base)) continue
    const url = listedUrl(base, name)
    if (looked.has(url)) continue
    looked.add(url)
    const { found, lost } = await findListed(base, [name], checkouts, context)
    listed.found.push(...found)
    listed.lost.push(...lost)
  }
  return listed
}
