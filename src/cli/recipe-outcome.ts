import type { RecipeOutcome } from '../pipeline/repo-outcome.js'

/** A line for one recipe that was not just kept. */
export function describeRecipe({ base, status, version, reason }: RecipeOutcome): string {
  const why = reason === undefined ? '' : `: ${reason}`
  const words = {
    built: 'built',
    failed: 'failed',
    skipped: 'not built',
    held: 'built and held back',
    removed: 'removed',
  }
  return `  ${base}${version === undefined ? '' : ` ${version}`}: ${words[status]}${why}`
}
