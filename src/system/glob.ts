import fastGlob from 'fast-glob'

/** Regular files below a directory that match a pattern, relative to it, sorted; symlinks are not followed. */
export function findFiles(directory: string, pattern: string): string[] {
  return fastGlob.sync(pattern, { cwd: directory, followSymbolicLinks: false, dot: true }).sort()
}
