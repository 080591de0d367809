import { dirname, join } from 'node:path'
import { parsePackages } from './packages-index.js'
import type { PackagesIndex, Stanza } from './packages-index.js'
import {
  copyFile,
  linkOrCopy,
  makeDirectory,
  readTextIfThere,
  removeFile,
  removeTree,
  rename,
} from '../system/files.js'
import { findFiles } from '../system/glob.js'

/**
 * The finished binary packages of a machine on the build host lie in one directory (Portage calls it PKGDIR). A run
 * works on a directory of hard links to them, so that it sees what exists and cannot change it: the files belong to
 * the host's root, whom no user of the container can be.
 */
export const INDEX = 'Packages'

/** Makes a run's package directory with everything that is finished. */
export function lendPackages(finished: string, run: string): void {
  makeDirectory(run)
  for (const path of findFiles(finished, '**')) {
    makeDirectory(dirname(join(run, path)))
    if (path === INDEX) copyFile(join(finished, path), join(run, path))
    else if (isPackage(path)) linkOrCopy(join(finished, path), join(run, path))
  }
}

/** Removes from a package directory everything but the named packages and the index. */
export function prunePackages(directory: string, keep: ReadonlySet<string>): void {
  for (const path of findFiles(directory, '**')) {
    if (!keep.has(path) && path !== INDEX) removeFile(join(directory, path))
  }
}

/** Makes a run's package directory the finished one. A crash in between loses nothing that the base build lacks. */
export function keepPackages(run: string, finished: string): void {
  makeDirectory(dirname(finished))
  removeTree(finished)
  rename(run, finished)
}

export function indexOf(directory: string): Stanza[] {
  return readIndex(directory).stanzas
}

export function headerOf(directory: string): Map<string, string> {
  return readIndex(directory).header
}

function readIndex(directory: string): PackagesIndex {
  const path = join(directory, INDEX)
  const text = readTextIfThere(path)
  return text === undefined ? { header: new Map(), stanzas: [] } : parsePackages(text, path)
}

function isPackage(path: string): boolean {
  return /\.(gpkg\.tar|xpak|tbz2)$/.test(path)
}
