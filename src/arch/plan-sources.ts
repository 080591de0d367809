import { configurationError } from '../model/errors.js'
import type { TreeswapError } from '../model/errors.js'
import { groupBy } from '../model/group-by.js'
import type { Recipes } from '../model/recipes.js'
import type { PlannedRecipe } from './plan.js'

/** Which recipes the tree consists of. */
export interface Choice {
  chosen: PlannedRecipe[]
  /** those whose packages are all taken from other sources */
  replaced: PlannedRecipe[]
  /** those of lists that get in the way of others; where there are any, the choice is to be made again without them */
  refused: ReadonlyMap<PlannedRecipe, TreeswapError>
}

export interface SourceRules {
  /** pkgname → URL of the source it is taken from where several have it */
  prefer: ReadonlyMap<string, string>
  /** of the base build: of listed recipes, the one that makes a package already goes on doing so */
  before: Pick<Recipes, 'recipes'> | undefined
  /** names that no recipe may have */
  reserved: ReadonlySet<string>
}

type Refused = Map<PlannedRecipe, TreeswapError>

/**
 * One recipe for each package. Two that the configuration's own sources have are an error; whoever writes a listed
 * recipe harms that one alone.
 * @throws PACKAGE_TWICE
 */
export function chooseRecipes(recipes: readonly PlannedRecipe[], { prefer, before, reserved }: SourceRules): Choice {
  const lost = new Map<PlannedRecipe, Set<string>>()
  const refused: Refused = new Map()
  const among: Refused = new Map()
  const settle = (
    rivals: readonly PlannedRecipe[],
    isOwner: (recipe: PlannedRecipe) => boolean,
    error: TreeswapError,
  ): void => {
    const [own, second] = rivals.filter((recipe) => !isListed(recipe))
    if (second !== undefined) throw error
    const owners = rivals.filter(isOwner)
    const stays = own ?? (owners.length === 1 ? owners[0] : undefined)
    for (const recipe of rivals) if (recipe !== stays) (own === undefined ? among : refused).set(recipe, error)
  }
  for (const [name, makers] of makersOf(recipes)) {
    if (reserved.has(name)) refuse(makers, reservedName(name), refused)
    if (makers.length < 2) continue
    const preferred = makers.filter(({ source }) => source === prefer.get(name))
    const rivals = preferred.length > 0 ? preferred : makers
    for (const loser of makers.filter((maker) => !rivals.includes(maker))) {
      lost.set(loser, (lost.get(loser) ?? new Set()).add(name))
    }
    if (rivals.length > 1) settle(rivals, (recipe) => makes(recipe, name, before), madeTwice(name, rivals, makers))
  }
  for (const [loser, names] of lost) {
    const error = notWhole(loser, names, prefer)
    if (error !== undefined) refuse([loser], error, refused)
  }
  const chosen = recipes.filter((recipe) => !lost.has(recipe))
  for (const [base, rivals] of groupBy(chosen, ({ srcinfo }) => srcinfo.base)) {
    if (reserved.has(base)) refuse(rivals, reservedName(base), refused)
    const isOwner = ({ source }: PlannedRecipe): boolean => before?.recipes.get(base)?.source === source
    if (rivals.length > 1) settle(rivals, isOwner, baseTwice(base, rivals))
  }
  // one that is refused anyway is not held against other listed ones
  return { chosen, replaced: [...lost.keys()], refused: refused.size > 0 ? refused : among }
}

/** Whether it was found through a list: somebody else writes it. */
export function isListed({ list }: PlannedRecipe): boolean {
  return list !== undefined
}

/** @throws the error, where one is the configuration's own */
function refuse(recipes: readonly PlannedRecipe[], error: TreeswapError, refused: Refused): void {
  for (const recipe of recipes) {
    if (!isListed(recipe)) throw error
    refused.set(recipe, error)
  }
}

function makes({ source }: PlannedRecipe, name: string, before: SourceRules['before']): boolean {
  return [...(before?.recipes.values() ?? [])].some(
    (record) => record.source === source && record.packages.some((one) => one.name === name),
  )
}

function makersOf(recipes: readonly PlannedRecipe[]): Map<string, PlannedRecipe[]> {
  const made = recipes.flatMap((recipe) => recipe.srcinfo.packages.map(({ name }) => ({ name, recipe })))
  return new Map(
    [...groupBy(made, ({ name }) => name)].map(([name, all]) => [name, all.map(({ recipe }) => recipe)] as const),
  )
}

/** @param rivals those of all its makers that none is preferred to */
function madeTwice(name: string, rivals: readonly PlannedRecipe[], makers: readonly PlannedRecipe[]): TreeswapError {
  const sources = [...new Set(rivals.map(({ source }) => source))].sort()
  if (sources.length === 1) {
    const bases = [...new Set(rivals.map(({ srcinfo }) => srcinfo.base))].sort()
    return configurationError(
      'PACKAGE_TWICE',
      `the package ${name} has several recipes in ${sources.join()}: ${bases.join(', ')}`,
      'remove all but one of them, or narrow down which directories are recipes',
    )
  }
  const listed = makers.filter(isListed).map(({ srcinfo }) => srcinfo.base)
  return configurationError(
    'PACKAGE_TWICE',
    `the package ${name} has a recipe in more than one source: ${sources.join(', ')}`,
    listed.length === 0
      ? `say under prefer which source ${name} is taken from, or remove it from the others`
      : `say under prefer which source ${name} is taken from, or take ${listed.join(' or ')} off the list`,
  )
}

/** A recipe is built as a whole: the rest of its packages would be missing, or come without their siblings. */
function notWhole(
  recipe: PlannedRecipe,
  lost: ReadonlySet<string>,
  prefer: ReadonlyMap<string, string>,
): TreeswapError | undefined {
  const { srcinfo, source } = recipe
  const kept = srcinfo.packages.map(({ name }) => name).filter((name) => !lost.has(name))
  if (kept.length === 0) return undefined
  const [first = ''] = lost
  return configurationError(
    'PACKAGE_TWICE',
    `${[...lost].join(', ')} of the recipe ${srcinfo.base} in ${source} is to come from ${prefer.get(first) ?? 'another source'}, ` +
      `but ${kept.join(', ')} of the same recipe is only here`,
    `prefer one source for all packages of ${srcinfo.base}, or ${isListed(recipe) ? 'take it off the list' : 'remove one of the recipes'}`,
  )
}

function baseTwice(base: string, recipes: readonly PlannedRecipe[]): TreeswapError {
  const places = recipes.map(({ source }) => `one in ${source}`)
  return configurationError(
    'PACKAGE_TWICE',
    `${recipes.length === 2 ? 'two' : recipes.length} recipes have the pkgbase ${base}: ${places.join(', ')}`,
    'give one of them another pkgbase, or remove it',
  )
}

function reservedName(name: string): TreeswapError {
  return configurationError(
    'PACKAGE_TWICE',
    `a recipe makes ${name}, which is the package with the keys of the repo`,
    'rename the recipe or take it off the list, or take the keys out of `trust`',
  )
}
