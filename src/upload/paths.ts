/** Names of what is not finished: dot files, and told by their name alone from everything else. */
const PREFIX = '.treeswap-upload-'
const SUFFIX = '.tmp'

/** @param path relative; @returns path beside it, under which it is written before it is renamed */
export function temporaryFor(path: string): string {
  const slash = path.lastIndexOf('/') + 1
  return `${path.slice(0, slash)}${PREFIX}${path.slice(slash)}${SUFFIX}`
}

export function isTemporary(name: string): boolean {
  return name.startsWith(PREFIX) && name.endsWith(SUFFIX)
}

/** The directory that holds the path; '' for the top. */
export function directoryOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
}
