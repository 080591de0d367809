import { configurationError } from '../model/errors.js'
import type { Manifest } from '../model/manifest.js'

export const INDEX = 'Packages'

/** What this check needs of one stanza of the index. */
interface Listed {
  path: string
  size: string | undefined
}

/**
 * Holds the index of binary packages (`Packages`, written by Portage: a header, then a stanza for each package, parted
 * by empty lines, each line `KEY: value`) against the files that the build consists of.
 * @param text content of the index; undefined where there is none
 * @throws PACKAGES_BROKEN naming the line or the package
 */
export function checkPackages(text: string | undefined, manifest: Manifest, directory: string): void {
  if (text === undefined) throw broken(directory, 'it has no index file Packages')
  const [header, ...stanzas] = readStanzas(text, directory)
  const count = header?.get('PACKAGES')
  if (count === undefined) throw broken(directory, 'its index has no header with PACKAGES')
  if (count !== String(stanzas.length)) {
    throw broken(
      directory,
      `its index announces ${count} packages and lists ${stanzas.length}: it is cut off or damaged`,
    )
  }
  const sizes = new Map(
    manifest.entries.flatMap((entry) => (entry.type === 'file' ? [[entry.path, entry.size] as const] : [])),
  )
  for (const { path, size } of stanzas.map((stanza) => listed(stanza, directory))) {
    const found = sizes.get(path)
    if (found === undefined) throw broken(directory, `its index names ${JSON.stringify(path)}, which is not there`)
    if (size !== undefined && size !== String(found)) {
      throw broken(directory, `its index says that ${path} has ${size} bytes; it has ${found}`)
    }
  }
}

function readStanzas(text: string, directory: string): Map<string, string>[] {
  const stanzas: Map<string, string>[] = []
  let stanza: Map<string, string> | undefined
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '') {
      stanza = undefined
      continue
    }
    const [, key, value] = /^([A-Za-z0-9_-]+):(?: (.*))?$/.exec(line) ?? []
    if (key === undefined) throw broken(directory, `line ${index + 1} of its index is not "KEY: value"`)
    if (stanza === undefined) stanzas.push((stanza = new Map<string, string>()))
    stanza.set(key, value ?? '')
  }
  return stanzas
}

/** Without PATH, Portage means CPV.tbz2. */
function listed(stanza: Map<string, string>, directory: string): Listed {
  const cpv = stanza.get('CPV')
  const path = stanza.get('PATH') ?? (cpv === undefined ? undefined : `${cpv}.tbz2`)
  if (path === undefined) throw broken(directory, 'its index has a package with neither PATH nor CPV')
  return { path, size: stanza.get('SIZE') }
}

function broken(directory: string, why: string): Error {
  return configurationError(
    'PACKAGES_BROKEN',
    `the binary packages in ${directory} cannot be used: ${why}`,
    'let Portage write the index anew: `emaint binhost --fix` with PKGDIR set to that directory',
  )
}
