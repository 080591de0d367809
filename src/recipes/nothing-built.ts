import { TreeswapError } from '../model/errors.js'
import type { ErrorDetails } from '../model/errors.js'
import type { RecipeOutcome } from './repo-outcome.js'

/** Nothing of a repo could be built: the error of the one recipe that failed, or one of its own for several. */
export class NothingBuilt extends TreeswapError {
  constructor(
    code: string,
    message: string,
    details: ErrorDetails,
    /** that were not just kept */
    readonly recipes: RecipeOutcome[],
  ) {
    super(code, message, details)
  }
}

/** @param errors why, the first one first */
export function nothingBuilt(name: string, recipes: RecipeOutcome[], errors: readonly TreeswapError[]): Error {
  const [first] = errors
  const failed = recipes.filter(({ status }) => status === 'failed')
  const told = failed.length > 0 ? failed : recipes.filter(({ status }) => status === 'held')
  const reasons = told.map(({ base, reason = '' }) => `${base}: ${reason}`).join('; ')
  if (errors.length === 1 && first !== undefined) {
    const { code, category, hint, cause } = first
    return new NothingBuilt(code, reasons, { category, hint, cause }, recipes)
  }
  const hint = 'see the logs of the recipes, and mend the first one that failed'
  const message = `nothing of ${name} could be built: ${reasons.slice(0, 2000)}`
  return new NothingBuilt('RECIPES_FAILED', message, { category: 'build', hint, cause: first }, recipes)
}
