import { decodeText } from './tar-header.js'

/** What extended headers say about the next entry. */
export interface Extension {
  path?: string
  link?: string
  size?: number
}

/** Records that change nothing about what an entry is. */
const harmless = new Set([
  'comment',
  'mtime',
  'atime',
  'ctime',
  'uid',
  'gid',
  'uname',
  'gname',
  'LIBARCHIVE.creationtime',
  'SCHILY.dev',
  'SCHILY.ino',
  'SCHILY.nlink',
])

/** Capabilities, access lists and flags of an entry. */
const attribute = /^(?:SCHILY|LIBARCHIVE)\.(?:xattr\.|acl\.|fflags$)/

/**
 * Reads the records of a pax extended header (POSIX pax, "pax Extended Header"): `LENGTH KEY=VALUE\n`.
 * @param shared a header for all following entries: it may hold harmless records only
 * @param refuse makes the error for a rule
 * @param attributes whether records that set extended attributes may be there; they are ignored
 */
export function readPax(
  bytes: Buffer,
  shared: boolean,
  refuse: (rule: string) => Error,
  attributes = false,
): Extension {
  const result: Extension = {}
  const seen = new Set<string>()
  for (let at = 0; at < bytes.length;) {
    const { key, value, end } = readRecord(bytes, at, refuse)
    if (seen.has(key)) throw refuse(`an extended header repeats ${key}`)
    seen.add(key)
    if (!harmless.has(key) && !(attributes && attribute.test(key))) {
      if (shared) throw refuse(`a global header sets ${key}`)
      assign(result, key, value, refuse)
    }
    at = end
  }
  return result
}

function readRecord(
  bytes: Buffer,
  at: number,
  refuse: (rule: string) => Error,
): { key: string; value: string | undefined; end: number } {
  const broken = (): Error => refuse('an extended header is broken')
  const space = bytes.indexOf(0x20, at)
  const digits = space === -1 ? '' : bytes.toString('latin1', at, space)
  if (!/^[1-9][0-9]{0,6}$/.test(digits)) throw broken()
  const end = at + Number(digits)
  const equals = bytes.indexOf(0x3d, space)
  if (end > bytes.length || equals === -1 || equals >= end || bytes[end - 1] !== 0x0a) throw broken()
  return {
    key: bytes.toString('latin1', space + 1, equals),
    value: decodeText(bytes.subarray(equals + 1, end - 1)),
    end,
  }
}

function assign(result: Extension, key: string, value: string | undefined, refuse: (rule: string) => Error): void {
  if (key !== 'path' && key !== 'linkpath' && key !== 'size') throw refuse(`an extended header sets ${printable(key)}`)
  if (value === undefined) throw refuse(`the ${key} of an extended header is not valid UTF-8`)
  if (key === 'path') result.path = value
  else if (key === 'linkpath') result.link = value
  else if (/^[0-9]{1,15}$/.test(value)) result.size = Number(value)
  else throw refuse('the size of an extended header is no number')
}

function printable(key: string): string {
  return /^[\w.-]{1,100}$/.test(key) ? key : JSON.stringify(key.slice(0, 100))
}
