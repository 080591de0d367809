import type { PackageRecord } from '../model/pacman-package.js'

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
}

/**
 * The built recipes whose new packages would break others that stay as they were: a library that those need is gone, and
 * nothing else has it. They are held back, and with them whatever was built upon what is held back.
 * @param built of this run
 * @param staying all other packages that there will be
 */
export function holdBack(built: readonly Change[], staying: readonly PackageRecord[]): Held[] {
  const held = new Map<string, string>()
  for (let more = true; more;) {
    more = false
    const taken = built.map((change) => ({ ...change, records: held.has(change.base) ? change.before : change.now }))
    const all = [...staying, ...taken.flatMap(({ records }) => records)]
    const there = new Set(all.flatMap(({ libraries }) => libraries))
    const had = new Set(
      [...built.flatMap(({ before, now }) => [...before, ...now]), ...staying].flatMap(({ libraries }) => libraries),
    )
    for (const one of all) {
      // what the tree never had is the root's
      const lost = one.needs.find((soname) => had.has(soname) && !there.has(soname))
      if (lost === undefined) continue
      const culprits = taken.filter(({ base, before, now }) => !held.has(base) && concerns(lost, one, before, now))
      for (const { base } of culprits) {
        held.set(base, `${one.info.name} ${one.info.version} needs ${lost.replace(/=\d+$/, '')}, which would be gone`)
        more = true
      }
    }
  }
  return [...held].map(([base, reason]) => ({ base, reason }))
}

/** Whether holding a recipe back helps: it had the library and has it no longer, or it is the one that lacks it. */
function concerns(
  lost: string,
  broken: PackageRecord,
  before: readonly PackageRecord[],
  now: readonly PackageRecord[],
): boolean {
  const gaveUp =
    before.some(({ libraries }) => libraries.includes(lost)) && !now.some(({ libraries }) => libraries.includes(lost))
  return gaveUp || now.includes(broken)
}
