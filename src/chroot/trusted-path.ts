import { join } from 'node:path'
import { configurationError } from '../model/errors.js'
import { readLink, statusOf } from '../system/files.js'

/** Links in one path; more are a circle. */
const MOST_LINKS = 40

/**
 * Checks that nobody but root can change what a path leads to: it and everything above it, links included, belong to
 * root and can be written by root only.
 * @returns the path without links
 * @throws NOT_ROOTS_ALONE; PATH_MISSING where nothing is there
 */
export function requireTrusted(path: string, what: string): string {
  const rest = parts(path)
  let links = 0
  let current = '/'
  checkOne('/', what)
  for (let name = rest.shift(); name !== undefined; name = rest.shift()) {
    if (name === '..') {
      current = join(current, '..')
      continue
    }
    const next = join(current, name)
    if (!checkOne(next, what).isSymbolicLink()) {
      current = next
      continue
    }
    if (++links > MOST_LINKS) throw missing(path, what)
    const target = readLink(next)
    if (target.startsWith('/')) current = '/'
    rest.unshift(...parts(target))
  }
  return current
}

function checkOne(path: string, what: string) {
  const status = statusOf(path)
  if (status === undefined) throw missing(path, what)
  // everybody may write to a link's mode, nobody to a link
  const open = !status.isSymbolicLink() && (status.mode & 0o022) !== 0
  if (status.uid === 0 && !open) return status
  throw configurationError(
    'NOT_ROOTS_ALONE',
    `${what} is not trusted: ${path} ${status.uid === 0 ? 'can be written by others than root' : `belongs to the user ${status.uid}`}`,
    `as root: chown root:root ${path} && chmod go-w ${path}, or put it elsewhere`,
  )
}

function missing(path: string, what: string): Error {
  return configurationError(
    'PATH_MISSING',
    `${what} is not there: ${path}`,
    'correct its path in root.yaml, or make it',
  )
}

function parts(path: string): string[] {
  return path.split('/').filter((part) => part !== '' && part !== '.')
}
