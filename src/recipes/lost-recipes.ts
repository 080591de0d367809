import { keyringName } from '../arch/keyring-package.js'
import { isWithin } from '../arch/plan-unread.js'
import type { Unread } from '../arch/plan-unread.js'
import type { PlannedRecipe } from '../arch/plan.js'
import type { PacmanConfig } from '../config/pacman.js'
import type { RecipeRecord, Recipes } from '../model/recipes.js'
import type { LostRecipe } from './recipe-sources.js'

type Known = [base: string, record: RecipeRecord]
type Place = Pick<LostRecipe, 'source' | 'path'>

/** What the base build has of a place, that with packages first: one may have changed its pkgbase. */
export function recordsOf({ source, path }: Place, before: Recipes | undefined): Known[] {
  return [...(before?.recipes ?? [])]
    .filter(([, record]) => record.source === source && record.directory === path)
    .sort(([, a], [, b]) => Number(b.packages.length > 0) - Number(a.packages.length > 0))
}

/** What nobody knows of now, because these could not be read. */
export function unreadOf(
  lost: readonly LostRecipe[],
  recipes: readonly PlannedRecipe[],
  before: Recipes | undefined,
  repo: PacmanConfig,
): Unread[] {
  const known = lost.flatMap((one): Unread[] => {
    const bases = recordsOf(one, before).map(([base]) => base)
    const isThatAlone = bases.length > 0 && one.path !== undefined && one.unread === one.source
    return isThatAlone ? bases.map((base) => ({ base })) : [...bases.map((base) => ({ base })), { url: one.unread }]
  })
  return [...known, ...movedFrom(lost, recipes, before, repo).map((base) => ({ base }))]
}

/**
 * Recipes of sources that are no longer in the configuration, while one that is new cannot be read: it may be the same
 * one at another URL.
 * @returns pkgbase of those that nobody has taken over
 */
function movedFrom(
  lost: readonly LostRecipe[],
  recipes: readonly PlannedRecipe[],
  before: Recipes | undefined,
  { name, repositories, programs, lists }: PacmanConfig,
): string[] {
  const records = [...(before?.recipes ?? [])]
  const fresh = lost.flatMap((one) => {
    const isFresh = !records.some(([, { source }]) => isWithin(source, [one.unread]))
    const isNew = one.unread === one.source && recordsOf(one, before).length === 0
    return isFresh || isNew ? [one.unread] : []
  })
  if (fresh.length === 0) return []
  const urls = new Set([...repositories, ...programs].map(({ url }) => url))
  const bases = lists.map(({ base }) => base)
  const takers = recipes.filter(({ list, source }) => list === undefined || isWithin(source, fresh))
  const taken = new Set(takers.flatMap(({ srcinfo }) => [srcinfo.base, ...srcinfo.packages.map((one) => one.name)]))
  return records
    .filter(([base, { source }]) => base !== keyringName(name) && !urls.has(source) && !isWithin(source, bases))
    .filter(([base, { packages }]) => ![base, ...packages.map((one) => one.name)].some((one) => taken.has(one)))
    .map(([base]) => base)
}
