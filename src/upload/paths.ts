import { sha256 } from '../system/hash.js'

/** Names of what is not finished: dot files, and told by their name alone from everything else. */
const PREFIX = '.treeswap-upload-'
const SUFFIX = '.tmp'

/** bytes that a file's name may have, so that with what is added here it is still one (255) */
const NAME = 200

/**
 * @param path relative
 * @param run names who writes: two uploads at once must not write to one file, nor put each other's in place
 * @returns path beside it, under which it is written before it is renamed
 */
export function temporaryFor(path: string, run: string): string {
  const slash = path.lastIndexOf('/') + 1
  return `${path.slice(0, slash)}${PREFIX}${run}-${shortened(path.slice(slash))}${SUFFIX}`
}

export function isTemporary(name: string): boolean {
  return name.startsWith(PREFIX) && name.endsWith(SUFFIX)
}

/** The directory that holds the path; '' for the top. */
export function directoryOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
}

function shortened(name: string): string {
  return Buffer.byteLength(name) <= NAME ? name : sha256(name)
}
