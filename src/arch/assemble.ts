import type { Build } from '../model/build.js'
import { publishError } from '../model/errors.js'
import type { FileMap } from '../model/file-map.js'
import type { Manifest } from '../model/manifest.js'
import { objectKey } from '../model/object-key.js'
import type { ObjectKey } from '../model/object-key.js'
import { parseFileName } from '../model/pacman-package.js'
import { formatReference } from '../model/reference.js'

/** A package file of a repo, as an object of the store. */
export interface PackageFile {
  /** name */
  file: string
  key: ObjectKey
  /** bytes */
  size: number
}

/** Where packages and databases lie in a generation: pacman's `$repo/os/$arch` below the tree's name. */
export function repoDirectory(architecture: string): string {
  return `os/${architecture}`
}

/**
 * The package files of a pacman repo's build, by name.
 * @param manifest of its packages pack
 * @throws TREE_INVALID
 */
export function packageFiles(build: Build, { entries }: Manifest): PackageFile[] {
  return entries.map((entry) => {
    if (entry.type === 'file' && parseFileName(entry.path) !== undefined) {
      return { file: entry.path, key: objectKey(entry.sha256, entry.executable), size: entry.size }
    }
    throw publishError(
      'TREE_INVALID',
      `${formatReference(build.name, build.number)} has ${JSON.stringify(entry.path)} among its packages, which is no package file`,
      'see what wrote its pack of packages: `treeswap build` puts files NAME-VERSION-RELEASE-ARCHITECTURE.pkg.tar.zst there, and nothing else',
    )
  })
}

/**
 * What a pacman repo's generation consists of, but for the databases: `os/ARCH/` with each package and, where it is
 * signed, its signature beside it.
 * @param signatureOf undefined: nothing is signed
 */
export function assembleRepo(
  architecture: string,
  packages: readonly PackageFile[],
  signatureOf?: (file: PackageFile) => { key: ObjectKey; size: number },
): FileMap {
  const directory = repoDirectory(architecture)
  const files: FileMap = new Map([[directory, { kind: 'directory' }]])
  for (const file of packages) {
    files.set(`${directory}/${file.file}`, { kind: 'object', key: file.key, size: file.size })
    if (signatureOf === undefined) continue
    const { key, size } = signatureOf(file)
    files.set(`${directory}/${file.file}.sig`, { kind: 'object', key, size })
  }
  return files
}
