import type { BuilderDirectories } from '../agent/directories.js'
import { parseDependency } from '../arch/dependency.js'
import { keyringName } from '../arch/keyring-package.js'
import { isWithin } from '../arch/plan-unread.js'
import { planRecipes } from '../arch/plan.js'
import type { PlannedRecipe, RecipePlan } from '../arch/plan.js'
import { lackingIn } from '../arch/root-packages.js'
import type { Srcinfo } from '../arch/srcinfo.js'
import { isUnwatched } from '../arch/vcs-source.js'
import type { RootService } from '../chroot/requests.js'
import type { PacmanConfig } from '../config/pacman.js'
import type { Clones } from '../git/clones.js'
import { TreeswapError } from '../model/errors.js'
import { isPackageName } from '../model/pacman-package.js'
import type { RecipeRecord, Recipes } from '../model/recipes.js'
import type { Context } from '../model/report.js'
import { inTurns } from './in-turns.js'
import { recordsOf, unreadOf } from './lost-recipes.js'
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

/** Something that whoever has the repo should know, though it keeps nothing from being built. */
interface PlanWarning {
  /** pkgbase, or what names the place best */
  base: string
  text: string
}

export interface RepoPlan extends RecipePlan {
  /** by pkgbase */
  recipes: ReadonlyMap<string, KnownRecipe>
  /** also recipes of lists that get in the way of others */
  broken: BrokenRecipe[]
  warnings: PlanWarning[]
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
/** Dependencies that a root is asked for in one container, whose time is limited. */
const ASKED_AT_ONCE = 200

/**
 * Fetches all recipes of a pacman repo and finds out what has to be built. Packages that recipes of a list need, and
 * that neither this repo nor the root has, are looked for where that list's packages come from.
 * @throws what planRecipes and a scratch session throw
 */
export async function planRepo(request: PlanContext, clones: Clones, context: Context): Promise<RepoPlan> {
  const { repo, before, asked, missing } = request
  context.report.step(`fetching the recipes of ${repo.name}`)
  const checkouts = new RecipeCheckouts(clones, context)
  const { found, lost: all } = await findRecipes(repo, checkouts, context)
  const isNone = (one: LostRecipe): boolean => one.doubtful === true && recordsOf(one, before).length === 0
  const lost = all.filter((one) => !isNone(one))
  const recipes: KnownRecipe[] = []
  const reserved = new Set(repo.trust.length > 0 ? [keyringName(repo.name)] : [])
  const plan = (wanted: ReadonlySet<string>) => {
    const unread = unreadOf(lost, recipes, before, repo)
    return planRecipes({ recipes, before, asked: wanted, missing, prefer: repo.prefer, unread, reserved })
  }
  const looked = new Set(found.map(({ source }) => source))
  for (let fresh = found; fresh.length > 0;) {
    recipes.push(...(await understand(fresh, request, lost, context)))
    const { unresolved, chosen } = plan(new Set())
    const listed = await dependenciesFromLists(unresolved, { chosen, lost, looked, checkouts }, request, context)
    // whoever needs what was never there says what is missing
    lost.push(...listed.lost.filter((one) => recordsOf(one, before).length > 0))
    fresh = listed.found
  }
  const planned = plan(asked)
  const known = recipes.filter((one) => planned.chosen.includes(one))
  const warnings = [
    ...all.filter(isNone).map(({ name, error }) => ({ base: name, text: error.message })),
    ...known.flatMap(({ srcinfo }) => unwatched(srcinfo)),
  ]
  for (const { text } of warnings) context.report.warn(text)
  const bases = new Set(known.map(({ srcinfo }) => srcinfo.base))
  return {
    ...planned,
    recipes: new Map(known.map((recipe) => [recipe.srcinfo.base, recipe])),
    broken: [
      ...lost.map((one) => brokenRecipe(one, before)),
      ...[...planned.refused].map(([{ source, srcinfo }, error]) => {
        const name = bases.has(srcinfo.base) ? source : srcinfo.base
        return brokenRecipe({ name, source, error }, before, bases)
      }),
    ],
    warnings,
  }
}

/** @param taken pkgbase of recipes that are not broken */
function brokenRecipe(
  { error, name, ...place }: Pick<LostRecipe, 'name' | 'source' | 'path' | 'error'>,
  before: Recipes | undefined,
  taken: ReadonlySet<string> = new Set(),
): BrokenRecipe {
  const [base = name, record] = recordsOf(place, before).find(([one]) => !taken.has(one)) ?? []
  return { base, error, record }
}

/** What of a recipe's sources may change without anybody noticing. */
function unwatched({ base, sources }: Srcinfo): PlanWarning[] {
  const entries = sources.filter(isUnwatched).map((entry) => entry.replace(/\/\/[^/@]*@/, '//').slice(0, 200))
  if (entries.length === 0) return []
  const more = entries.length > 3 ? ` and ${entries.length - 3} more` : ''
  const text = `${base} follows what is not polled (${entries.slice(0, 3).join(', ')}${more}): ask with --rebuild ${base} when that has changed`
  return [{ base, text }]
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
        const record = before?.recipes.get(recipe.srcinfo.base)
        const fingerprint = await fingerprintOf(recipe, recipe.srcinfo.sources, record, asked, context)
        const sourceDate = sourceDateOf(recipe, record)
        return { ...recipe, fingerprint, sourceDate }
      } catch (error) {
        if (!(error instanceof TreeswapError) || error.category === 'aborted') throw error
        const { source, path } = recipe
        const name = 'srcinfo' in recipe ? recipe.srcinfo.base : (path ?? source)
        // what a listed package needs is known from its recipe alone
        lost.push({ name, source, path, error, unread: listBaseOf(source, repo) ?? source })
        return undefined
      }
    },
  )
  return known.filter((recipe) => recipe !== undefined)
}

/** Where a recipe's dependencies may come from, too. */
function listBaseOf(source: string, { lists }: PacmanConfig): string | undefined {
  return lists.find(({ base }) => isWithin(source, [base]))?.base
}

interface Search {
  chosen: readonly PlannedRecipe[]
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
  { chosen, lost, looked, checkouts }: Search,
  { repo, service, before }: PlanContext,
  context: Context,
): Promise<FoundRecipes> {
  const listOf = (base: string): string | undefined => {
    const source = chosen.find(({ srcinfo }) => srcinfo.base === base)?.source
    return source === undefined ? undefined : listBaseOf(source, repo)
  }
  // a stranger may have given a package the name of one of ours
  const isStrange = (name: string, base: string): boolean => {
    const owner = ownerOf(name, before)
    return owner === undefined ? lost.some(({ unread }) => !isWithin(unread, [base])) : !isWithin(owner.source, [base])
  }
  const wanted = new Map<string, { name: string; base: string }>()
  for (const [dependency, bases] of unresolved) {
    const base = bases.map(listOf).find((one) => one !== undefined)
    const name = parseDependency(dependency)?.name
    if (base === undefined || name === undefined || looked.has(dependency)) continue
    looked.add(dependency)
    if (!isPackageName(name) || looked.has(listedUrl(base, name)) || isStrange(name, base)) continue
    wanted.set(dependency, { name, base })
  }
  const listed: FoundRecipes = { found: [], lost: [] }
  const lacking: string[] = []
  for (const some of inParts([...wanted.keys()], ASKED_AT_ONCE)) {
    lacking.push(...(await lackingIn(some, repo.chroot, service, context)))
  }
  for (const dependency of lacking) {
    const { name, base } = wanted.get(dependency) ?? {}
    if (name === undefined || base === undefined || looked.has(listedUrl(base, name))) continue
    looked.add(listedUrl(base, name))
    const there = await findListed(base, [name], checkouts, context)
    listed.found.push(...there.found)
    listed.lost.push(...there.lost)
  }
  return listed
}

function inParts<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, index) => all.slice(index * size, (index + 1) * size))
}
