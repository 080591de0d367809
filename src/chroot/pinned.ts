import { configurationError } from '../model/errors.js'
import { closeOpen, openEntry, openTop, statusOfOpen } from '../system/descriptors.js'
import { errorCode } from '../system/files.js'
import { type Caller, isCallers } from './caller.js'
import { inRange } from './uid-ranges.js'

/** A directory that was found to be what it has to be, and stays that one whatever happens to its path. */
export interface Pinned {
  descriptor: number
  path: string
  /** device and inode, as `stat --format=%d:%i` prints them */
  identity: string
  close(): void
}

/**
 * Opens a directory component by component, following no symlink, and checks that it may be lent: it lies below one
 * of the caller's directories, and belongs to the caller or to the containers of this root.
 * @param path absolute and normal
 * @throws BIND_MISSING, BIND_REFUSED
 */
export function pinDirectory(path: string, uidBase: number, caller: Caller): Pinned {
  if (!isBelow(path, caller.below)) throw outside(path, caller.below ?? [])
  const descriptor = openPath(path)
  const { uid, identity } = statusOfOpen(descriptor)
  if (!isCallers(uid, caller) && !inRange(uid, uidBase)) {
    closeOpen(descriptor)
    throw configurationError(
      'BIND_REFUSED',
      `${path} cannot be lent to a container: it belongs to the user ${uid}`,
      `name a directory that the user ${caller.uid} has made`,
    )
  }
  return { descriptor, path, identity, close: () => closeOpen(descriptor) }
}

function isBelow(path: string, directories: readonly string[] | undefined): boolean {
  return directories === undefined || directories.some((directory) => path.startsWith(`${directory}/`))
}

function openPath(path: string): number {
  let current = openTop()
  for (const name of path.split('/').filter((part) => part !== '')) {
    const directory = current
    try {
      current = openEntry(directory, name, 'directory')
    } catch (error) {
      throw missing(path, name, error)
    } finally {
      closeOpen(directory)
    }
  }
  return current
}

function missing(path: string, name: string, error: unknown): unknown {
  const why = reasons[errorCode(error) ?? '']
  if (why === undefined) return error
  return configurationError(
    'BIND_MISSING',
    `${path} cannot be lent to a container: ${name} in it ${why}`,
    'name a directory that is there, by a path without links',
    error,
  )
}

const reasons: Record<string, string> = {
  ENOENT: 'is not there',
  ENOTDIR: 'is no directory, or a link to one',
  ELOOP: 'is a link',
  ENAMETOOLONG: 'is too long a name',
}

function outside(path: string, directories: readonly string[]): Error {
  return configurationError(
    'BIND_REFUSED',
    `${path} cannot be lent to a container: it lies outside of ${directories.join(', ')}`,
    'let the builder work below these directories, or let the administrator add one under `binds` in root.yaml',
  )
}
