import type { BaseBuild } from '../agent/base-build.js'
import { parseFileName } from '../model/pacman-package.js'
import type { RecipeRecord, Recipes } from '../model/recipes.js'

/** Of a recipe of which nobody knows what it was made of. */
const UNKNOWN = '0'.repeat(64)

/**
 * Recipes as far as the names of package files tell: each package as if it had a recipe of its own, whose content is
 * unknown. So versions rise, and what another recipe turns out to make is taken over by it.
 */
export function recipesOfFiles({ manifest, number }: BaseBuild, architecture: string): Recipes {
  const recipes = new Map(
    manifest.entries.flatMap(({ path: file }): [string, RecipeRecord][] => {
      const { name, version } = parseFileName(file) ?? {}
      if (name === undefined || version === undefined) return []
      const made = {
        version,
        packages: [{ name, file, version }],
        built: number,
        dependencies: new Map<string, string>(),
      }
      return [[name, { source: 'unknown', commit: UNKNOWN, fingerprint: UNKNOWN, ...made, status: 'built' }]]
    }),
  )
  return { architecture, recipes, root: new Map() }
}

/** The same with recipes whose packages are lost as those whose content is unknown. */
export function withUnknown(before: Recipes, lost: ReadonlySet<string>): Recipes {
  const recipes = [...before.recipes].map(
    ([base, record]) => [base, lost.has(base) ? { ...record, fingerprint: UNKNOWN } : record] as const,
  )
  return { ...before, recipes: new Map(recipes) }
}
