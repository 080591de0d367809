import { configurationError } from './errors.js'
import { nearest } from './nearest.js'

type NameKind = 'tree' | 'ebuild repo' | 'chroot' | 'tag' | 'pack'

/** Names that stand for something else where trees and repos lie side by side. */
const reserved = new Set(['repos', 'published', 'latest'])

const general = /^[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}$/
/** Package Manager Specification 3.1.5: letters, digits, underscore, hyphen; not starting with a hyphen. */
const ebuildRepo = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$/

/**
 * Returns `name` unchanged when it is safe as one path component, argument and URL segment.
 * @throws NAME_INVALID
 */
export function validName(kind: NameKind, name: string): string {
  if (isName(kind, name)) return name
  throw configurationError(
    'NAME_INVALID',
    `${JSON.stringify(name)} cannot be the name of a ${kind}`,
    reserved.has(name)
      ? `${name} has a meaning of its own here: choose another name`
      : 'use up to 64 letters, digits, "_", "-" (and, but for ebuild repos, "." and "+"), starting with a letter or digit',
  )
}

/** Whether `name` is safe as one path component, argument and URL segment, and stands for nothing else. */
export function isName(kind: NameKind, name: string): boolean {
  if (kind === 'ebuild repo') return ebuildRepo.test(name)
  return general.test(name) && !name.includes('..') && !reserved.has(name)
}

/** The entry of `known` that was meant by `given`, as part of a hint; empty when nothing is near. */
export function didYouMean(given: string, known: Iterable<string>): string {
  const near = nearest(given, known)
  return near === undefined ? '' : `did you mean ${near}?`
}
