import { groupBy } from '../model/group-by.js'
import { isMeant, parseDependency, satisfies } from './dependency.js'
import type { Provider } from './dependency.js'
import type { Srcinfo } from './srcinfo.js'

/** A package of the tree, and what it needs when installed. */
interface TreePackage extends Provider {
  base: string
  depends: readonly string[]
}

/** What the recipes of a tree are to each other. */
export interface RecipeGraph {
  /** pkgbase → what it has to do with others */
  recipes: ReadonlyMap<string, RecipeLinks>
  /** pkgbase of what leads from one recipe to another that it needs: the last one is the other */
  path: (from: string, to: string) => string[]
  /** dependencies that nothing in the tree provides → pkgbase of those that want them, sorted */
  unresolved: Map<string, string[]>
}

export interface RecipeLinks {
  /** pkgname of what it is built with */
  uses: ReadonlySet<string>
  /** pkgbase of all that has to be there before it can be built: makers of those, and of what those need when installed */
  needs: ReadonlySet<string>
  /** pkgbase of what its own packages need when installed, and it does not need */
  wants: ReadonlySet<string>
}

/** @param recipes one for each pkgbase and each pkgname */
export function graphOf(recipes: readonly Srcinfo[]): RecipeGraph {
  const find = finder(recipes)
  const unresolved = new Map<string, Set<string>>()
  const providers = (texts: readonly string[], base: string): TreePackage[] => {
    const found = texts.map((text) => ({ text, provider: find(text, base) }))
    for (const { text } of found.filter(({ provider }) => provider === undefined)) {
      unresolved.set(text, (unresolved.get(text) ?? new Set()).add(base))
    }
    return found.flatMap(({ provider }) => provider ?? [])
  }
  const runtime = remembered((one: TreePackage) => providers(one.depends, one.base))
  const direct = new Map(
    recipes.map(({ base, depends, makeDepends, checkDepends }): [string, TreePackage[]] => {
      const all = providers([...depends, ...makeDepends, ...checkDepends], base)
      // what needs itself, as compilers do, takes the one of before
      return [base, all.filter((one) => one.base !== base)]
    }),
  )
  const links = recipes.map((recipe): [string, RecipeLinks] => {
    const start = direct.get(recipe.base) ?? []
    const needs = new Set([...closure(start, runtime).keys()].map(({ base }) => base))
    const own = packagesOf(recipe).flatMap((one) => runtime(one))
    const wants = new Set(own.map(({ base }) => base).filter((base) => base !== recipe.base && !needs.has(base)))
    return [recipe.base, { uses: new Set(start.map(({ name }) => name)), needs, wants }]
  })
  return {
    recipes: new Map(links),
    path: (from, to) => pathIn(closure(direct.get(from) ?? [], runtime), to),
    unresolved: new Map([...unresolved].sort(byKey).map(([text, bases]) => [text, [...bases].sort()])),
  }
}

function packagesOf({ base, version, packages }: Srcinfo): TreePackage[] {
  return packages.map(({ name, provides, depends }) => ({ name, version, provides, base, depends }))
}

/**
 * Which package stands for a dependency, chosen as pacman does: the one of that name before those that provide it. One
 * in a version that is not wanted is still the one: the version of a recipe that follows a repository is known late.
 */
function finder(recipes: readonly Srcinfo[]): (text: string, base: string) => TreePackage | undefined {
  const packages = recipes.flatMap(packagesOf).sort((a, b) => (a.name < b.name ? -1 : 1))
  const named = new Map(packages.map((one) => [one.name, one]))
  const provided = packages.flatMap((one) =>
    [...new Set(one.provides.map((text) => parseDependency(text)?.name))].map((name) => ({ name, one })),
  )
  const providers = groupBy(provided, ({ name }) => name)
  return (text, base) => {
    const dependency = parseDependency(text)
    if (dependency === undefined) return undefined
    const literal = named.get(dependency.name)
    if (literal !== undefined && isMeant(literal, dependency)) return literal
    const able = (providers.get(dependency.name) ?? [])
      .map(({ one }) => one)
      .filter((one) => satisfies(one, dependency))
    return able.find((one) => one.base === base) ?? able[0] ?? literal
  }
}

/** All that `start` leads to, itself included → what led there first. */
function closure(
  start: readonly TreePackage[],
  next: (one: TreePackage) => TreePackage[],
): Map<TreePackage, TreePackage | undefined> {
  const found = new Map<TreePackage, TreePackage | undefined>(start.map((one) => [one, undefined]))
  for (const one of found.keys()) {
    for (const other of next(one)) if (!found.has(other)) found.set(other, one)
  }
  return found
}

function pathIn(found: ReadonlyMap<TreePackage, TreePackage | undefined>, base: string): string[] {
  const path: string[] = []
  let at = [...found.keys()].find((one) => one.base === base)
  while (at !== undefined) {
    if (path[0] !== at.base) path.unshift(at.base)
    at = found.get(at)
  }
  return path
}

function remembered<K, V>(compute: (key: K) => V): (key: K) => V {
  const known = new Map<K, V>()
  return (key) => {
    const old = known.get(key)
    if (old !== undefined) return old
    const value = compute(key)
    known.set(key, value)
    return value
  }
}

function byKey([a]: [string, unknown], [b]: [string, unknown]): number {
  return a < b ? -1 : a > b ? 1 : 0
}
