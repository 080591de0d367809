import { configurationError } from '../model/errors.js'
import type { TreeswapError } from '../model/errors.js'
import type { RecipeGraph } from './plan-graph.js'

export interface RecipeOrder {
  /** every pkgbase that is neither in a cycle nor behind one, after what it needs */
  order: string[]
  /** pkgbase from need to need, the last as the first; empty: there is no cycle */
  cycle: string[]
}

/** Every pkgbase after what it needs; what could be built at the same time is sorted by name. */
export function inOrder({ recipes, path }: RecipeGraph): RecipeOrder {
  const waiting = new Map([...recipes].map(([base, { needs }]) => [base, needs.size]))
  const dependants = dependantsOf(recipes)
  const order: string[] = []
  let wave = [...waiting.keys()].filter((base) => waiting.get(base) === 0).sort()
  while (wave.length > 0) {
    order.push(...wave)
    const next: string[] = []
    for (const dependant of wave.flatMap((base) => dependants.get(base) ?? [])) {
      const left = (waiting.get(dependant) ?? 0) - 1
      waiting.set(dependant, left)
      if (left === 0) next.push(dependant)
    }
    wave = next.sort()
  }
  if (order.length === recipes.size) return { order, cycle: [] }
  const done = new Set(order)
  const cycle = cycleAmong([...recipes.keys()].filter((base) => !done.has(base)).sort(), recipes)
  return {
    order,
    cycle: cycle.flatMap((base, index) => (index === 0 ? [base] : path(cycle[index - 1] ?? '', base))),
  }
}

function dependantsOf(recipes: RecipeGraph['recipes']): Map<string, string[]> {
  const dependants = new Map<string, string[]>([...recipes.keys()].map((base) => [base, []]))
  for (const [base, { needs }] of recipes) for (const need of needs) dependants.get(need)?.push(base)
  return dependants
}

/** @param left each of which needs another one of them */
function cycleAmong(left: readonly string[], recipes: RecipeGraph['recipes']): string[] {
  const walk: string[] = []
  let at = left[0]
  while (at !== undefined && !walk.includes(at)) {
    walk.push(at)
    const needs = recipes.get(at)?.needs
    at = left.find((base) => needs?.has(base))
  }
  return at === undefined ? walk : [...walk.slice(walk.indexOf(at)), at]
}

/** @param listed those of the cycle that come from lists */
export function cyclic(cycle: readonly string[], listed: readonly string[]): TreeswapError {
  const own =
    'take one of these dependencies out of depends, makedepends or checkdepends; what a package needs only when it is installed belongs into depends of its package function'
  return configurationError(
    'RECIPES_CYCLIC',
    `recipes need each other before they can be built: ${cycle.join(' → ')}`,
    listed.length === 0 ? own : `take ${listed.join(' or ')} off the list until its author has mended that`,
  )
}
