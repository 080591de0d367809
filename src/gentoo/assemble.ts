import { objectKey, objectMtime } from '../model/object-key.js'
import type { Build, Pack } from '../model/build.js'
import { publishError } from '../model/errors.js'
import type { FileMap, Source } from '../model/file-map.js'
import type { Entry, Manifest } from '../model/manifest.js'
import { sha256 } from '../system/hash.js'

/** Where the binary packages lie in a generation. */
export const PACKAGES_DIRECTORY = '.binpkgs'

/** Below it the profile lies as in a client's root, so that one rsync with `-R` takes it over. */
const PROFILE_DIRECTORY = '.profile'

const WORLD_FILES = ['world', 'world_sets']

/**
 * What a machine's generation consists of, but for the index files: `REPO/…`, `.binpkgs/…`,
 * `.profile/etc/portage/…` and `.profile/var/lib/portage/{world,world_sets}`, both always there, so that a client
 * that takes them over can lose one.
 * @param manifests by name of the pack
 * @throws MANIFEST_MISSING
 */
export function assembleMachine(build: Build, manifests: ReadonlyMap<string, Manifest>): FileMap {
  const files: FileMap = new Map()
  for (const pack of build.packs) {
    const manifest = manifests.get(pack.name)
    if (manifest === undefined) throw missing(build, pack)
    const top = topOf(pack)
    files.set(top, { kind: 'directory' })
    for (const entry of manifest.entries) files.set(`${top}/${entry.path}`, sourceOf(entry))
  }
  for (const name of WORLD_FILES) {
    const path = `${PROFILE_DIRECTORY}/var/lib/portage/${name}`
    if (!files.has(path)) files.set(path, emptyFile)
  }
  return files
}

function topOf({ name, role }: Pack): string {
  switch (role) {
    case 'ebuild-repo':
      return name
    case 'packages':
      return PACKAGES_DIRECTORY
    case 'etc-portage':
      return `${PROFILE_DIRECTORY}/etc/portage`
    case 'var-lib-portage':
      return `${PROFILE_DIRECTORY}/var/lib/portage`
  }
}

function sourceOf(entry: Entry): Source {
  switch (entry.type) {
    case 'directory':
      return { kind: 'directory' }
    case 'symlink':
      return { kind: 'symlink', target: entry.target }
    case 'file':
      return { kind: 'object', key: objectKey(entry.sha256, entry.executable), size: entry.size }
  }
}

/** Not an object: a store that never saw an empty file has none. Its mtime is what the object's would be. */
const emptyFile: Source = {
  kind: 'text',
  content: Buffer.alloc(0),
  mtime: objectMtime(objectKey(sha256(''), false)),
}

function missing(build: Build, pack: Pack): Error {
  return publishError(
    'MANIFEST_MISSING',
    `the manifest of ${pack.name} in ${build.name}@${build.number} is not there`,
    `pull ${build.name}@${build.number} again: it brings what is missing`,
  )
}
