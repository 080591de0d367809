import { buildError } from '../model/errors.js'
import { parseFileName } from '../model/pacman-package.js'
import type { PackageRecord } from '../model/pacman-package.js'
import { isDebug } from './debug-package.js'

export interface Expected {
  /** pkgbase */
  base: string
  version: string
  /** of the repo */
  architecture: string
  /** every pkgname of the recipe, as it was planned */
  names: readonly string[]
}

interface Made {
  file: string
  record: PackageRecord
}

/**
 * Sees that a recipe made exactly what it says: file name, .PKGINFO and recipe agree, and every package is there.
 * @throws PACKAGES_REFUSED with the first that is wrong
 */
export function acceptPackages(expected: Expected, packages: readonly Made[]): void {
  for (const made of packages) {
    const why = wrong(expected, made)
    if (why !== undefined) throw refused(`${made.file} ${why}`)
  }
  const there = new Set<string>()
  for (const { file, record } of packages) {
    if (there.has(record.info.name)) throw refused(`${file} is another file of ${record.info.name}`)
    there.add(record.info.name)
  }
  const lost = expected.names.filter((name) => !there.has(name))
  if (lost.length > 0) throw refused(`it made no package ${lost.join(', ')}, which it names`)
}

function wrong({ base, version, architecture, names }: Expected, { file, record }: Made): string | undefined {
  const { info } = record
  const named = parseFileName(file)
  if (named?.name !== info.name || named.version !== info.version || named.architecture !== info.architecture) {
    return `is, by its .PKGINFO, ${info.name} ${info.version} for ${info.architecture}`
  }
  if (info.base !== base) return `is, by its .PKGINFO, of the recipe ${info.base}`
  if (!names.includes(info.name) && !isDebug(record)) return 'is none that the recipe names'
  if (info.version !== version) return `has the version ${info.version} instead of ${version}`
  if (info.architecture !== architecture && info.architecture !== 'any') {
    return `is for ${info.architecture} instead of ${architecture}`
  }
  return undefined
}

function refused(what: string): Error {
  return buildError(
    'PACKAGES_REFUSED',
    `the packages are not what the recipe says: ${what}`,
    'let package() alone decide what is in a package, and pkgbase, pkgname and arch what there is',
  )
}
