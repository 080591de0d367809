import type { RecipeRecord, Recipes } from '../model/recipes.js'
import type { PlannedRecipe } from './plan.js'

/** Something that could not be read, whatever it is. */
export interface Unread {
  /** pkgbase, where the base build knows it */
  base?: string | undefined
  /** URL at or below which there may be more that nobody knows of now; undefined: there is not */
  url?: string | undefined
}

/** Whether a source is one of these URLs, or lies below one. */
export function isWithin(source: string, urls: readonly string[]): boolean {
  return urls.some((url) => source === url || source.startsWith(`${url}/`))
}

/** Recipes of the base build of which nobody knows now what they are: they stay as they were. */
export function stayingRecipes(
  before: Pick<Recipes, 'recipes'> | undefined,
  recipes: readonly PlannedRecipe[],
  unread: readonly Unread[],
): Map<string, RecipeRecord> {
  const urls = unread.flatMap(({ url }) => url ?? [])
  const bases = new Set(unread.map(({ base }) => base))
  const isRead = (name: string, source: string): boolean =>
    recipes.some((one) => one.srcinfo.base === name && one.source === source)
  return new Map(
    [...(before?.recipes ?? [])].filter(
      ([name, { source }]) => bases.has(name) || (isWithin(source, urls) && !isRead(name, source)),
    ),
  )
}

/**
 * Recipes that would take the place of what could not be read: of packages that stay, or that are preferred from there.
 * A package does not change its source because of an outage.
 */
export function usurpers(
  recipes: readonly PlannedRecipe[],
  staying: ReadonlyMap<string, RecipeRecord>,
  prefer: ReadonlyMap<string, string>,
  unread: readonly Unread[],
): PlannedRecipe[] {
  const urls = unread.flatMap(({ url }) => url ?? [])
  const taken = new Set([...staying.values()].flatMap(({ packages }) => packages.map(({ name }) => name)))
  const isPreferredThere = (name: string, source: string): boolean => {
    const preferred = prefer.get(name)
    return preferred !== undefined && preferred !== source && isWithin(preferred, urls)
  }
  return recipes.filter(
    ({ srcinfo, source }) =>
      staying.has(srcinfo.base) ||
      srcinfo.packages.some(({ name }) => taken.has(name) || isPreferredThere(name, source)),
  )
}
