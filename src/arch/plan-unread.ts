import type { RecipeRecord } from '../model/recipes.js'
import type { SourceRules } from './plan-sources.js'
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

export interface Unchanged {
  /** records of the base build of which nobody knows now what they are: they stay as they were */
  staying: ReadonlyMap<string, RecipeRecord>
  /** recipes that would take the place of these, or of what is preferred from where nobody could read */
  usurping: PlannedRecipe[]
}

/**
 * What has to stay because something could not be read: a package does not change its source because of an outage.
 * What the base build has of recipes that are left out for that stays, too.
 * @param recipes those that count
 * @param refused those that are left out already
 */
export function unchangedOf(
  recipes: readonly PlannedRecipe[],
  refused: readonly PlannedRecipe[],
  unread: readonly Unread[],
  { before, prefer }: Pick<SourceRules, 'before' | 'prefer'>,
): Unchanged {
  const all = [...unread, ...refused.flatMap((recipe) => unreadFor(recipe, recipes, before))]
  const urls = all.flatMap(({ url }) => url ?? [])
  const staying = stayingRecords(recipes, all, before)
  const isPreferredThere = (name: string, source: string): boolean => {
    const preferred = prefer.get(name)
    return preferred !== undefined && preferred !== source && isWithin(preferred, urls)
  }
  for (;;) {
    const taken = new Set([...staying.values()].flatMap(({ packages }) => packages.map(({ name }) => name)))
    const usurping = recipes.filter(
      ({ srcinfo, source }) =>
        staying.has(srcinfo.base) ||
        srcinfo.packages.some(({ name }) => taken.has(name) || isPreferredThere(name, source)),
    )
    const others = recipes.filter((recipe) => !usurping.includes(recipe))
    const more = [...(before?.recipes ?? [])].filter(
      (one) => !staying.has(one[0]) && sharesName(one, [...refused, ...usurping]) && !sharesName(one, others),
    )
    for (const [base, record] of more) staying.set(base, record)
    if (more.length === 0) return { staying, usurping }
  }
}

function stayingRecords(
  recipes: readonly PlannedRecipe[],
  unread: readonly Unread[],
  before: SourceRules['before'],
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

/** A recipe that is refused is as one that could not be read: what it and its packages need is not known. */
function unreadFor(
  { source, list }: PlannedRecipe,
  recipes: readonly PlannedRecipe[],
  before: SourceRules['before'],
): Unread[] {
  const bases = [...(before?.recipes ?? [])]
    .filter(([, record]) => record.source === source)
    .map(([base]) => base)
    .filter((base) => !recipes.some((one) => one.source === source && one.srcinfo.base === base))
  return bases.length === 0 ? [{ url: source }] : bases.map((base) => ({ base, url: list }))
}

/** Whether recipes are called as a record is, or make a package of its. */
function sharesName([base, { packages }]: [string, RecipeRecord], recipes: readonly PlannedRecipe[]): boolean {
  return recipes.some(
    ({ srcinfo }) =>
      srcinfo.base === base || packages.some((one) => srcinfo.packages.some(({ name }) => name === one.name)),
  )
}
