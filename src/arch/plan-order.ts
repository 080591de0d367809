import { configurationError } from '../model/errors.js'
import type { RecipeGraph } from './plan-graph.js'

/**
 * Every pkgbase after what it needs; what could be built at the same time is sorted by name.
 * @throws RECIPES_CYCLIC
 */
export function inOrder({ recipes, path }: RecipeGraph): string[] {
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
  if (order.length === recipes.size) return order
  const done = new Set(order)
  throw cyclic(cycleAmong([...recipes.keys()].filter((base) => !done.has(base)).sort(), recipes), path)
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

function cyclic(cycle: readonly string[], path: RecipeGraph['path']): Error {
  const whole = cycle.flatMap((base, index) => (index === 0 ? [base] : path(cycle[index - 1] ?? '', base)))
  return configurationError(
    'RECIPES_CYCLIC',
    `recipes need each other before they can be built: ${whole.join(' → ')}`,
    'take one of these dependencies out of depends, makedepends or checkdepends; what a package needs only when it is installed belongs into depends of its package function',
  )
}
