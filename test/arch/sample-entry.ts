import type { DatabaseEntry } from '../../src/arch/database.js'
import { packageFileName } from '../../src/model/pacman-package.js'
import type { PackageInfo } from '../../src/model/pacman-package.js'

/** A package that says no more than it must. */
export function sampleInfo(given: Partial<PackageInfo> = {}): PackageInfo {
  const { name = 'sample' } = given
  return {
    ...{ name, base: name, version: '1-1', architecture: 'any', buildDate: 1_700_000_000, installedSize: 1 },
    ...{ groups: [], licenses: [], replaces: [], conflicts: [], provides: [], depends: [], optDepends: [] },
    ...{ makeDepends: [], checkDepends: [] },
    ...given,
  }
}

export function sampleEntry(given: Partial<PackageInfo>, files: string[] = []): DatabaseEntry {
  const info = sampleInfo(given)
  const record = { info, files, libraries: [], needs: [] }
  return { record, file: packageFileName(info), size: 1, sha256: 'ab'.repeat(32) }
}
