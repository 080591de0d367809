import { dirname, join } from 'node:path'
import { formatPackages, packagePath, parsePackages } from '../model/packages-index.js'
import type { PackagesIndex, Stanza } from '../model/packages-index.js'
import { writeAtomically } from '../system/files.js'
import { copyFile, exists, linkOrCopy, makeDirectory, rename, statusOf } from '../system/files.js'
import { readForeignFile } from '../system/foreign-file.js'
import { findFiles } from '../system/glob.js'

/**
 * The finished binary packages of a machine on the build host lie in one directory (Portage calls it PKGDIR). A run
 * works on a directory of hard links to them, so that it sees what exists and cannot change it: the files belong to
 * the host's root, whom no user of the container can be. What a run leaves is taken over file by file into a
 * directory that no container can write.
 */
export const INDEX = 'Packages'

/** CATEGORY/NAME/FILE, and room for what Portage may add. */
const DEPTH = 4
const LARGEST_INDEX = 256 * 1024 * 1024

/** Makes a run's package directory with everything that is finished. */
export function lendPackages(finished: string, run: string): void {
  makeDirectory(run)
  for (const path of findFiles(finished, '**', DEPTH)) {
    if (path !== INDEX && !isPackage(path)) continue
    makeDirectory(dirname(join(run, path)))
    if (path === INDEX) copyFile(join(finished, path), join(run, path))
    else linkOrCopy(join(finished, path), join(run, path))
  }
}

/**
 * Moves packages out of a directory that a container wrote. Taken is what an index entry names, what is a regular
 * file reached through no symlink, and what has the size told there.
 * @returns the entries that were taken
 */
export function takePackages(from: string, wanted: readonly Stanza[], to: string): Stanza[] {
  const there = new Set(findFiles(from, '**', DEPTH).filter(isPackage))
  return wanted.filter((stanza) => {
    const path = packagePath(stanza)
    const source = join(from, path)
    if (!there.has(path) || exists(join(to, path)) || String(statusOf(source)?.size) !== stanza.get('SIZE'))
      return false
    makeDirectory(dirname(join(to, path)))
    rename(source, join(to, path))
    return true
  })
}

/** The index of a package directory; empty where it has none. @throws PACKAGES_INVALID */
export function readIndex(directory: string): PackagesIndex {
  const path = join(directory, INDEX)
  const content = readForeignFile(path, LARGEST_INDEX)
  return content === undefined ? { header: new Map(), stanzas: [] } : parsePackages(content.toString('utf8'), path)
}

/**
 * Writes the index of a directory of the host's. Portage trusts it (FEATURES=pkgdir-index-trusted), so it names every
 * package that is there, and no other.
 */
export function writeIndex(directory: string, header: Map<string, string>, stanzas: readonly Stanza[]): void {
  const there = new Map(stanzas.map((stanza) => [packagePath(stanza), stanza]))
  for (const path of there.keys()) if (!exists(join(directory, path))) there.delete(path)
  // where the packages are fetched from is the publisher's to say
  const own = new Map([...header].filter(([key]) => key !== 'URI'))
  makeDirectory(directory)
  writeAtomically(join(directory, INDEX), formatPackages({ header: own, stanzas: [...there.values()] }))
}

function isPackage(path: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9+_./-]*\.(gpkg\.tar|xpak|tbz2)$/.test(path)
}
