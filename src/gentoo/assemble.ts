import type { Build, Pack } from '../model/build.js'
import { publishError } from '../model/errors.js'
import type { FileMap, Source } from '../model/file-map.js'
import type { Entry, Manifest } from '../model/manifest.js'
import { objectKey, objectMtime } from '../model/object-key.js'
import { formatReference } from '../model/reference.js'
import { sha256 } from '../system/hash.js'

/** Where the binary packages lie in a generation. */
export const PACKAGES_DIRECTORY = '.binpkgs'

/** Below it the profile lies as in a client's root, so that one rsync with `-R` takes it over. */
const PROFILE_DIRECTORY = '.profile'
const ETC_PORTAGE = `${PROFILE_DIRECTORY}/etc/portage`
const WORLD_DIRECTORY = `${PROFILE_DIRECTORY}/var/lib/portage`

/**
 * What a machine's generation consists of, but for the index files: `REPO/…`, `.binpkgs/…`,
 * `.profile/etc/portage/…` and `.profile/var/lib/portage/{world,world_sets}`. The sets are always there, if need be
 * empty, so that a client that takes them over can lose them; a machine without a world file is refused, because
 * `emerge --depclean` removes everything from a client that takes an empty one over.
 * @param manifests by name of the pack
 * @throws MANIFEST_MISSING, PROFILE_MISSING, WORLD_MISSING, PACKAGES_INVALID, TREE_INVALID
 */
export function assembleMachine(build: Build, manifests: ReadonlyMap<string, Manifest>): FileMap {
  const files: FileMap = new Map()
  for (const pack of build.packs) {
    const manifest = manifests.get(pack.name)
    if (manifest === undefined) throw missing(build, pack)
    const top = topOf(pack)
    if (files.has(top)) throw twice(build, top)
    files.set(top, { kind: 'directory' })
    for (const entry of manifest.entries) files.set(`${top}/${entry.path}`, sourceOf(entry))
  }
  checkProfile(build, files)
  checkPackages(build, files)
  const sets = `${WORLD_DIRECTORY}/world_sets`
  if (!files.has(sets)) files.set(sets, emptyFile)
  return files
}

function checkProfile(build: Build, files: FileMap): void {
  const reference = formatReference(build.name, build.number)
  if (files.get(ETC_PORTAGE)?.kind !== 'directory') {
    throw publishError(
      'PROFILE_MISSING',
      `${reference} has no profile (no pack etc-portage)`,
      'clients would lose their /etc/portage, so it is not published: build or pack it again with its profile',
    )
  }
  if (files.get(`${WORLD_DIRECTORY}/world`)?.kind === 'object') return
  throw publishError(
    'WORLD_MISSING',
    `${reference} has no world file (no regular file world in its pack var-lib-portage)`,
    'clients that take its profile over would remove everything, so it is not published: build or pack it again with one',
  )
}

/** The archived `Packages` must never be served as it is: its index is made from its text. */
function checkPackages(build: Build, files: FileMap): void {
  if (!build.packs.some(({ role }) => role === 'packages')) return
  if (files.get(`${PACKAGES_DIRECTORY}/Packages`)?.kind === 'object') return
  throw publishError(
    'PACKAGES_INVALID',
    `${formatReference(build.name, build.number)} has binary packages, but no regular file Packages`,
    'see what made the directory of packages (Portage writes Packages itself), then build or pack it again',
  )
}

function topOf({ name, role }: Pack): string {
  switch (role) {
    case 'ebuild-repo':
      return name
    case 'packages':
      return PACKAGES_DIRECTORY
    case 'etc-portage':
      return ETC_PORTAGE
    case 'var-lib-portage':
      return WORLD_DIRECTORY
    case 'recipes':
      throw new Error('no machine has a pack of recipes')
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

function twice(build: Build, top: string): Error {
  return publishError(
    'TREE_INVALID',
    `two packs of ${formatReference(build.name, build.number)} are both ${top} of the published tree`,
    'see what wrote its build.json: treeswap makes no such build',
  )
}

function missing(build: Build, pack: Pack): Error {
  return publishError(
    'MANIFEST_MISSING',
    `the manifest of ${pack.name} in ${build.name}@${build.number} is not there`,
    `pull ${build.name}@${build.number} again: it brings what is missing`,
  )
}
