import { configurationError } from '../model/errors.js'
import type { Manifest } from '../model/manifest.js'
import { packagePath, parsePackages } from '../model/packages-index.js'

export const INDEX = 'Packages'

/**
 * Holds the index of binary packages against the files that the build consists of.
 * @param text content of the index; undefined where there is none
 * @throws PACKAGES_INVALID naming the line, PACKAGES_BROKEN naming the package
 */
export function checkPackages(text: string | undefined, manifest: Manifest, directory: string): void {
  if (text === undefined) throw broken(directory, 'it has no index file Packages')
  const { header, stanzas } = parsePackages(text, `${directory}/${INDEX}`)
  const count = header.get('PACKAGES')
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
  for (const stanza of stanzas) {
    const [path, size] = [packagePath(stanza), stanza.get('SIZE')]
    const found = sizes.get(path)
    if (found === undefined) throw broken(directory, `its index names ${JSON.stringify(path)}, which is not there`)
    if (size !== undefined && size !== String(found)) {
      throw broken(directory, `its index says that ${path} has ${size} bytes; it has ${found}`)
    }
  }
}

function broken(directory: string, why: string): Error {
  return configurationError(
    'PACKAGES_BROKEN',
    `the binary packages in ${directory} cannot be used: ${why}`,
    'let Portage write the index anew: `emaint binhost --fix` with PKGDIR set to that directory',
  )
}
