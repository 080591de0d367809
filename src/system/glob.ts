import fastGlob from 'fast-glob'

/**
 * Regular files below a directory that match a pattern, relative to it, sorted. Symlinks are neither followed nor
 * named, and directories below `deep` levels are not entered.
 */
export function findFiles(directory: string, pattern: string, deep = 64): string[] {
  return fastGlob.sync(pattern, { cwd: directory, followSymbolicLinks: false, dot: true, deep }).sort()
}
