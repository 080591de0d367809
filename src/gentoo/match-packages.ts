import { groupBy } from '../model/group-by.js'
import type { Stanza } from '../model/packages-index.js'
import type { InstalledPackage } from './installed.js'

/** What is installed, each with its binary package where there is one. */
export interface Match {
  packaged: Stanza[]
  unpackaged: InstalledPackage[]
}

/**
 * Finds the binary package of each installed package: same CATEGORY/PF and same BUILD_TIME. Where several are left
 * (quickpkg makes a new BUILD_ID of the same build), the one with the installed BUILD_ID, else the newest.
 */
export function matchPackages(installed: readonly InstalledPackage[], index: readonly Stanza[]): Match {
  const byName = groupBy(index, (stanza) => stanza.get('CPV') ?? '')
  const match: Match = { packaged: [], unpackaged: [] }
  for (const pkg of installed) {
    const same = (byName.get(pkg.cpv) ?? []).filter((stanza) => sameBuild(pkg, stanza))
    const best = same.find((stanza) => stanza.get('BUILD_ID') === pkg.buildId) ?? newest(same)
    if (best === undefined) match.unpackaged.push(pkg)
    else match.packaged.push(best)
  }
  return match
}

function sameBuild(pkg: InstalledPackage, stanza: Stanza): boolean {
  return pkg.buildTime === '' || stanza.get('BUILD_TIME') === pkg.buildTime
}

function newest(stanzas: readonly Stanza[]): Stanza | undefined {
  return stanzas.toSorted((a, b) => buildId(b) - buildId(a))[0]
}

function buildId(stanza: Stanza): number {
  return Number(stanza.get('BUILD_ID') ?? 0)
}
