import type { RecipeRecord } from '../model/recipes.js'
import type { FoundRecipe } from './recipe-sources.js'

/**
 * What a recipe's packages take for the time when they are built (SOURCE_DATE_EPOCH): the time of its tag's commit, or
 * else of the commit at which its files were first built as they are now. What else the repository gets is not its own.
 * @param record of the base build
 * @returns seconds since 1970
 */
export function sourceDateOf(
  { content, commitTime, release }: Pick<FoundRecipe, 'content' | 'commitTime' | 'release'>,
  record: Pick<RecipeRecord, 'time'> | undefined,
): number {
  return release === undefined && record?.time?.content === content ? record.time.seconds : commitTime
}
