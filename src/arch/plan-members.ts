import type { TreeswapError } from '../model/errors.js'
import type { RecipeRecord } from '../model/recipes.js'
import { graphOf } from './plan-graph.js'
import type { RecipeGraph } from './plan-graph.js'
import { cyclic, inOrder } from './plan-order.js'
import { chooseRecipes, isListed } from './plan-sources.js'
import type { SourceRules } from './plan-sources.js'
import { unchangedOf } from './plan-unread.js'
import type { Unread } from './plan-unread.js'
import type { PlannedRecipe } from './plan.js'

/** What a tree consists of, and what not. */
export interface Members {
  chosen: PlannedRecipe[]
  graph: RecipeGraph
  /** pkgbase of the chosen, each after what it needs */
  order: string[]
  /** of the base build, by pkgbase: they stay as they were */
  staying: ReadonlyMap<string, RecipeRecord>
  /** left out because others are preferred */
  replaced: PlannedRecipe[]
  /** left out because they would take the place of what stays */
  usurping: PlannedRecipe[]
  /** listed ones that get in the way of others: what the tree has of them stays */
  refused: ReadonlyMap<PlannedRecipe, TreeswapError>
}

/**
 * Decides which recipes make up a tree. A fault that only the configuration's own recipes have part in is an error;
 * else the listed ones that have part in it are left out, and it is decided again.
 * @throws PACKAGE_TWICE, RECIPES_CYCLIC
 */
export function membersOf(recipes: readonly PlannedRecipe[], unread: readonly Unread[], rules: SourceRules): Members {
  const refused = new Map<PlannedRecipe, TreeswapError>()
  for (;;) {
    const left = recipes.filter((recipe) => !refused.has(recipe))
    const { staying, usurping } = unchangedOf(left, [...refused.keys()], unread, rules)
    const choice = chooseRecipes(
      left.filter((recipe) => !usurping.includes(recipe)),
      rules,
    )
    for (const [recipe, error] of choice.refused) refused.set(recipe, error)
    if (choice.refused.size > 0) continue
    const { chosen, replaced } = choice
    const graph = graphOf(chosen.map(({ srcinfo }) => srcinfo))
    const { order, cycle } = inOrder(graph)
    if (cycle.length === 0) return { chosen, graph, order, staying, replaced, usurping, refused }
    const listed = chosen.filter((recipe) => isListed(recipe) && cycle.includes(recipe.srcinfo.base))
    const bases = listed.map(({ srcinfo }) => srcinfo.base).sort()
    const error = cyclic(cycle, bases)
    if (listed.length === 0) throw error
    for (const recipe of listed) refused.set(recipe, error)
  }
}
