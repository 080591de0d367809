import { configurationError } from '../model/errors.js'
import type { PlannedRecipe } from './plan.js'

/** Which recipes the tree consists of. */
export interface Choice {
  chosen: PlannedRecipe[]
  /** those whose packages are all taken from other sources */
  replaced: PlannedRecipe[]
}

/**
 * One recipe for each package.
 * @param prefer pkgname → URL of the source it is taken from where several have it
 * @throws PACKAGE_TWICE
 */
export function chooseRecipes(recipes: readonly PlannedRecipe[], prefer: ReadonlyMap<string, string>): Choice {
  const lost = new Map<PlannedRecipe, Set<string>>()
  for (const [name, makers] of makersOf(recipes)) {
    if (makers.length < 2) continue
    const winner = winnerOf(name, makers, prefer.get(name))
    for (const loser of makers.filter((maker) => maker !== winner)) {
      lost.set(loser, (lost.get(loser) ?? new Set()).add(name))
    }
  }
  for (const [loser, names] of lost) checkWhole(loser, names, prefer)
  const chosen = recipes.filter((recipe) => !lost.has(recipe))
  checkBases(chosen)
  return { chosen, replaced: [...lost.keys()] }
}

function makersOf(recipes: readonly PlannedRecipe[]): Map<string, PlannedRecipe[]> {
  const makers = new Map<string, PlannedRecipe[]>()
  for (const recipe of recipes) {
    for (const { name } of recipe.srcinfo.packages) {
      const others = makers.get(name)
      if (others === undefined) makers.set(name, [recipe])
      else others.push(recipe)
    }
  }
  return makers
}

function winnerOf(name: string, makers: readonly PlannedRecipe[], preferred: string | undefined): PlannedRecipe {
  const winners = makers.filter(({ source }) => source === preferred)
  const [winner] = winners
  if (winner !== undefined && winners.length === 1) return winner
  const sources = [...new Set(makers.map(({ source }) => source))].sort()
  if (sources.length === 1 || winner !== undefined) {
    const bases = [...new Set((winner === undefined ? makers : winners).map(({ srcinfo }) => srcinfo.base))].sort()
    throw configurationError(
      'PACKAGE_TWICE',
      `the package ${name} has several recipes in ${winner?.source ?? sources.join()}: ${bases.join(', ')}`,
      'remove all but one of them, or narrow down which directories are recipes',
    )
  }
  throw configurationError(
    'PACKAGE_TWICE',
    `the package ${name} has a recipe in more than one source: ${sources.join(', ')}`,
    `say under prefer which source ${name} is taken from, or remove it from the others`,
  )
}

/** A recipe is built as a whole: the rest of its packages would be missing, or come without their siblings. */
function checkWhole({ srcinfo, source }: PlannedRecipe, lost: Set<string>, prefer: ReadonlyMap<string, string>): void {
  const kept = srcinfo.packages.map(({ name }) => name).filter((name) => !lost.has(name))
  if (kept.length === 0) return
  const [first = ''] = lost
  throw configurationError(
    'PACKAGE_TWICE',
    `${[...lost].join(', ')} of the recipe ${srcinfo.base} in ${source} is to come from ${prefer.get(first) ?? 'another source'}, ` +
      `but ${kept.join(', ')} of the same recipe is only here`,
    `prefer one source for all packages of ${srcinfo.base}, or remove one of the recipes`,
  )
}

function checkBases(recipes: readonly PlannedRecipe[]): void {
  const seen = new Map<string, string>()
  for (const { srcinfo, source } of recipes) {
    const other = seen.get(srcinfo.base)
    if (other !== undefined) {
      throw configurationError(
        'PACKAGE_TWICE',
        `two recipes have the pkgbase ${srcinfo.base}: one in ${other}, one in ${source}`,
        'give one of them another pkgbase, or remove it',
      )
    }
    seen.set(srcinfo.base, source)
  }
}
