import { join, posix } from 'node:path'
import { linkTarget, listDirectory, statusOf } from '../system/files.js'
import { findEntries } from '../system/glob.js'

/** A place where a recipe should be, in a repository with many. */
export interface RecipePlace {
  /** in the repository; empty: its top */
  path: string
  /** why it cannot be read, to go on from "it has no recipe there: "; undefined: nothing speaks against it */
  fault: string | undefined
  /** whether nothing but its place speaks for a recipe: a link, or a submodule */
  doubtful: boolean
}

/** What is safe in messages and paths. */
const SAFE = /^[A-Za-z0-9_@.+-]+(\/[A-Za-z0-9_@.+-]+)*$/

/**
 * The directories of recipes in a clean checkout, sorted. What only looks like one, because it is a link or a
 * submodule, is among them: a recipe that becomes one has not been removed.
 * @param pattern glob of directories; `.`: the top
 */
export function recipePlaces(checkout: string, pattern: string): RecipePlace[] {
  const places = new Map<string, Pick<RecipePlace, 'fault' | 'doubtful'>>()
  const directories = pattern.replace(/\/+$/, '')
  if (directories !== '.') {
    for (const { path, kind } of findEntries(checkout, directories)) {
      if (/^\.git(\/|$)/.test(path)) continue
      const fault = kind === 'link' ? linkFault(checkout, path) : submoduleFault(checkout, path, kind)
      if (fault !== undefined) places.set(path, { fault, doubtful: true })
    }
  }
  for (const { path, kind } of findEntries(checkout, directories === '.' ? 'PKGBUILD' : `${directories}/PKGBUILD`)) {
    const directory = posix.dirname(path)
    const fault = kind === 'link' ? 'its PKGBUILD is a link, and links are not followed' : 'its PKGBUILD is no file'
    places.set(directory === '.' ? '' : directory, { fault: kind === 'file' ? undefined : fault, doubtful: false })
  }
  return [...places]
    .map(([path, { fault, doubtful }]) => ({
      path,
      doubtful,
      fault: isSafe(path) ? fault : 'its name is odd: use letters, digits and _ @ . + -',
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}

function isSafe(path: string): boolean {
  return path === '' || SAFE.test(path)
}

function linkFault(checkout: string, path: string): string | undefined {
  const target = posix.join(posix.dirname(path), linkTarget(join(checkout, path)) ?? '')
  const isRecipe = !target.startsWith('..') && statusOf(join(checkout, target, 'PKGBUILD')) !== undefined
  return isRecipe ? 'it is a link, and links are not followed' : undefined
}

/** Git keeps no empty directories: what looks like one stands for another repository. */
function submoduleFault(checkout: string, path: string, kind: string): string | undefined {
  if (kind !== 'directory' || listDirectory(join(checkout, path)).length > 0) return undefined
  return 'it is a submodule, and those are not fetched: copy its files, or name its repository as a source of its own'
}
