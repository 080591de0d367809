import { parseFileName } from '../model/pacman-package.js'

/**
 * Holds what pacman lists of a repo against the packages that it should have, of which there may be ten thousand.
 * @param listed what `pacman -Sl` says: `REPO NAME VERSION` in each line
 * @param files their package files
 * @returns what is wrong; undefined where nothing is
 */
export function wronglyListed(listed: string, files: readonly string[]): string | undefined {
  const found = new Set(listed.split('\n').flatMap((line) => / (\S+ \S+)/.exec(line)?.[1] ?? []))
  const missing = files.find((file) => !found.has(nameAndVersion(file)))
  if (missing !== undefined) return `no ${missing}`
  return found.size === files.length ? undefined : `${found.size} packages of ${files.length}`
}

function nameAndVersion(file: string): string {
  const { name = '', version = '' } = parseFileName(file) ?? {}
  return `${name} ${version}`
}
