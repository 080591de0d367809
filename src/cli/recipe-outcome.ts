import type { RecipeOutcome } from '../recipes/repo-outcome.js'

/** A line for one recipe that was not just kept, and how to mend it. */
export function describeRecipe({ base, status, version, reason, code, hint }: RecipeOutcome): string {
  const coded = code === undefined ? '' : ` [${code}]`
  const why = reason === undefined ? '' : `: ${reason}${coded}${hint === undefined ? '' : `\n    ${hint}`}`
  const words = {
    built: 'built',
    failed: 'failed',
    skipped: 'not built',
    held: 'built and held back',
    removed: 'removed',
  }
  return `  ${base}${version === undefined ? '' : ` ${version}`}: ${words[status]}${why}`
}
