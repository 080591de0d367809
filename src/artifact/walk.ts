import { configurationError } from '../model/errors.js'
import { pathRule } from '../model/path-rule.js'
import { breathe } from '../system/clock.js'
import { explainDiskError, listDirectory } from '../system/files.js'
import type { Dirent } from '../system/files.js'
import { aborted } from '../system/process.js'

export interface Found {
  type: 'file' | 'directory' | 'symlink'
  path: string
}

/** What version control systems keep in a checkout: the names of GNU tar's --exclude-vcs. */
const versionControl = new Set([
  '.arch-ids',
  '.bzr',
  '.bzrignore',
  '.bzrtags',
  '.cvsignore',
  '.git',
  '.gitattributes',
  '.gitignore',
  '.gitmodules',
  '.hg',
  '.hgignore',
  '.hgtags',
  '.svn',
  '=RELEASE-ID',
  '=meta-update',
  '=update',
  'CVS',
  'RCS',
  'SCCS',
  '_darcs',
  '{arch}',
])

export function isVersionControl(name: string): boolean {
  return versionControl.has(name)
}

/**
 * Everything below a directory, parents first, in an order that depends on the names only. Links are not followed.
 * @param leaveOut whether what has this name is not wanted, with all below it
 * @throws PACK_INPUT for what cannot be packed
 */
export async function walk(
  top: string,
  leaveOut: (name: string, path: string) => boolean,
  signal: AbortSignal,
): Promise<Found[]> {
  const found: Found[] = []
  const waiting = ['']
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    const prefix = directory === '' ? '' : `${directory}/`
    const entries = list(`${top}/${directory}`)
    const below: string[] = []
    for (const entry of entries) {
      const path = prefix + entry.name
      if (leaveOut(entry.name, path)) continue
      const type = typeOf(entry, top, path)
      found.push({ type, path })
      if (type === 'directory') below.push(path)
    }
    for (const path of below.reverse()) waiting.push(path)
    if (signal.aborted) throw aborted(`packing ${top}`)
    if (found.length % 256 < entries.length) await breathe()
  }
  return found
}

function list(directory: string): Dirent[] {
  try {
    return listDirectory(directory)
  } catch (error) {
    throw explainDiskError(error, directory)
  }
}

function typeOf(entry: Dirent, top: string, path: string): Found['type'] {
  const rule = pathRule(path)
  if (rule !== undefined) throw unsuitable(top, path, rule)
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'directory'
  if (entry.isSymbolicLink()) return 'symlink'
  throw unsuitable(top, path, 'it is a socket, a FIFO or a device')
}

function unsuitable(top: string, path: string, rule: string): Error {
  return configurationError(
    'PACK_INPUT',
    `${top}/${JSON.stringify(path).slice(1, -1)} cannot be packed: ${rule}`,
    'remove or rename it where it comes from, then build again',
  )
}
