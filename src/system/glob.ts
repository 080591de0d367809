import fastGlob from 'fast-glob'

/**
 * Regular files below a directory that match a pattern, relative to it, sorted. Symlinks are neither followed nor
 * named, and directories below `deep` levels are not entered.
 */
export function findFiles(directory: string, pattern: string, deep = 64): string[] {
  return fastGlob.sync(pattern, { cwd: directory, followSymbolicLinks: false, dot: true, deep }).sort()
}

export interface Entry {
  /** relative */
  path: string
  kind: 'file' | 'directory' | 'link' | 'other'
}

/** Everything below a directory that matches a pattern, otherwise as findFiles: links are named, but not followed. */
export function findEntries(directory: string, pattern: string, deep = 64): Entry[] {
  const options = { cwd: directory, followSymbolicLinks: false, dot: true, deep, onlyFiles: false } as const
  return fastGlob
    .sync(pattern, { ...options, objectMode: true })
    .map(({ path, dirent }): Entry => {
      const kind = dirent.isFile() ? 'file' : dirent.isDirectory() ? 'directory' : undefined
      return { path, kind: kind ?? (dirent.isSymbolicLink() ? 'link' : 'other') }
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1))
}
