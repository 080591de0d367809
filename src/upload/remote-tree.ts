import { publishError } from '../model/errors.js'
import { directoryOf, isTemporary } from './paths.js'
import type { Remote, RemoteStatus } from './remote.js'

/** What lies in the directories that concern an upload. */
export interface RemoteTree {
  /** by path */
  entries: Map<string, RemoteStatus>
  /** what an upload that broke off was writing */
  leftovers: string[]
  /** directories that have to be made, parents first */
  missing: string[]
}

/**
 * Looks at a directory and what lies below it, where files are or were uploaded to.
 * @param directory absolute, there
 * @param paths relative, of those files
 * @throws UPLOAD_PATH_TAKEN
 */
export async function remoteTree(remote: Remote, directory: string, paths: Iterable<string>): Promise<RemoteTree> {
  const tree: RemoteTree = { entries: new Map(), leftovers: [], missing: [] }
  for (const inside of directoriesOf(paths)) {
    const path = inside === '' ? directory : `${directory}/${inside}`
    const status = await remote.targetStatus(path)
    if (status === undefined) tree.missing.push(path)
    else if (status.kind !== 'directory') throw pathTaken(path)
    else await look(remote, path, inside === '' ? '' : `${inside}/`, tree)
  }
  return tree
}

async function look(remote: Remote, directory: string, prefix: string, tree: RemoteTree): Promise<void> {
  for (const [name, status] of await remote.list(directory)) {
    if (name.includes('/')) continue
    // no upload makes a directory of such a name
    if (isTemporary(name) && status.kind !== 'directory') tree.leftovers.push(`${prefix}${name}`)
    else tree.entries.set(`${prefix}${name}`, status)
  }
}

/** With their parents, which come first. */
function directoriesOf(paths: Iterable<string>): string[] {
  const found = new Set([''])
  for (const path of paths) {
    for (let at = directoryOf(path); at !== '' && !found.has(at); at = directoryOf(at)) found.add(at)
  }
  return [...found].sort()
}

/** Something is where something of another kind has to be. */
export function pathTaken(path: string): Error {
  return publishError(
    'UPLOAD_PATH_TAKEN',
    `something else is in the place of ${path}`,
    'look what it is (a file for a directory, or the other way round), and move it away there',
  )
}
