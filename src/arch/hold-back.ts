import type { PackageRecord } from '../model/pacman-package.js'
import { parseDependency, satisfies } from './dependency.js'
import type { Dependency } from './dependency.js'

/** Packages of one recipe: what there would be now, and what the tree had before. */
export interface Change {
  base: string
  now: readonly PackageRecord[]
  before: readonly PackageRecord[]
}

/** Why a recipe's new packages are not taken. */
export interface Held {
  base: string
  reason: string
  /** the dependency, as written, that decided it; absent: a library did */
  lacks?: string
}

/** Which dependencies are this tree's concern. */
export interface Concern {
  /** names of packages that its recipes make, and what these provide: other dependencies are left to the distribution */
  names: ReadonlySet<string>
  /** dependencies, as written, that the distribution satisfies all the same */
  given: ReadonlySet<string>
}

/** What would be broken, and the recipes that have to be held back for it. */
interface Breach {
  reason: string
  lacks?: string
  culprits: string[]
}

/** Packages that there will be, if nothing more is held back. */
interface State {
  /** of these recipes, the new ones */
  taken: readonly Change[]
  all: readonly PackageRecord[]
}

/**
 * The built recipes whose new packages would break others that stay as they were, or could not be installed
 * themselves: a library or a dependency is gone, or was never there, and nothing else has it. They are held back, and
 * with them whatever needs what is held back.
 * @param built of this run
 * @param staying all other packages that there will be
 */
export function holdBack(built: readonly Change[], staying: readonly PackageRecord[], concern: Concern): Held[] {
  const before = built.flatMap((change) => change.before)
  const had = new Set([...staying, ...before, ...built.flatMap(({ now }) => now)].flatMap((one) => one.libraries))
  const held = new Map<string, Held>()
  for (;;) {
    const taken = built.filter(({ base }) => !held.has(base))
    const left = built.filter(({ base }) => held.has(base)).flatMap((change) => change.before)
    const state = { taken, all: [...staying, ...left, ...taken.flatMap(({ now }) => now)] }
    const breach = lostLibrary(state, had) ?? unsatisfied(state, concern)
    if (breach === undefined) return [...held.values()]
    const { culprits, ...why } = breach
    for (const base of culprits) held.set(base, { base, ...why })
  }
}

function lostLibrary({ taken, all }: State, had: ReadonlySet<string>): Breach | undefined {
  const there = new Set(all.flatMap(({ libraries }) => libraries))
  for (const one of all) {
    // what the tree never had is the root's
    for (const lost of one.needs.filter((soname) => had.has(soname) && !there.has(soname))) {
      const has = ({ libraries }: PackageRecord): boolean => libraries.includes(lost)
      const culprits = taken.filter((change) => gaveUp(change, has) || change.now.includes(one))
      if (culprits.length === 0) continue
      return { reason: `${titleOf(one)} needs ${lost.replace(/=\d+$/, '')}, which would be gone`, ...basesOf(culprits) }
    }
  }
  return undefined
}

function unsatisfied({ taken, all }: State, { names, given }: Concern): Breach | undefined {
  const providers = providersOf(all)
  for (const one of all) {
    for (const text of one.info.depends) {
      const dependency = parseDependency(text)
      if (dependency === undefined || !names.has(dependency.name) || given.has(text)) continue
      const fits = (other: PackageRecord): boolean => satisfies(other.info, dependency)
      if (providers(dependency).some(fits)) continue
      const own = taken.find(({ now }) => now.includes(one))
      const others = taken.filter((change) => gaveUp(change, fits))
      // going back helps a package only where it was content before
      const helps = own !== undefined && !own.before.some(({ info }) => info.depends.includes(text))
      const culprits = helps || others.length === 0 ? [own].filter((change) => change !== undefined) : others
      if (culprits.length === 0) continue
      const why = others.length > 0 ? 'which would be gone' : 'which no package is'
      return { reason: `${titleOf(one)} needs ${text}, ${why}`, lacks: text, ...basesOf(culprits) }
    }
  }
  return undefined
}

function providersOf(all: readonly PackageRecord[]): (dependency: Dependency) => PackageRecord[] {
  const providers = new Map<string, PackageRecord[]>()
  for (const one of all) {
    for (const name of providedNames(one.info)) {
      const known = providers.get(name)
      if (known === undefined) providers.set(name, [one])
      else known.push(one)
    }
  }
  return ({ name }) => providers.get(name) ?? []
}

/** What a dependency may call a package: its name, and the names of what it provides. */
export function providedNames({ name, provides }: { name: string; provides: readonly string[] }): Set<string> {
  return new Set([name, ...provides.flatMap((text) => parseDependency(text)?.name ?? [])])
}

/** Whether a recipe's packages had something that they do not have any more. */
function gaveUp({ before, now }: Change, has: (one: PackageRecord) => boolean): boolean {
  return before.some(has) && !now.some(has)
}

function titleOf({ info: { name, version } }: PackageRecord): string {
  return `${name} ${version}`
}

function basesOf(changes: readonly Change[]): { culprits: string[] } {
  return { culprits: changes.map(({ base }) => base) }
}
