import { join } from 'node:path'
import { configurationError } from '../model/errors.js'
import { copyFile, isDirectory, linkTarget, listDirectory, makeDirectory, statusOf, writeNew } from '../system/files.js'

/** Where a machine's configuration lies in a profile repository. */
export interface Profile {
  /** becomes /etc/portage */
  etcPortage: string
  /** the directory that holds `world` and, where used, `world_sets` */
  worldDirectory: string
}

/** The layouts seen in the wild, relative to the machine's directory: [etc-portage, directory of `world`]. */
const layouts: [string, string][] = [
  ['etc-portage', '.'],
  ['etc-portage', 'var-lib-portage'],
  ['configs/etc-portage', 'configs/var-lib-portage'],
]

/**
 * Finds a machine's profile in a directory: `etc-portage/` + `world`, or `configs/etc-portage` +
 * `configs/var-lib-portage/world`. What is found is real: a link could lead out of the repository, to files of this
 * host that clients would be served.
 * @param described the directory as the user knows it, for errors
 * @throws PROFILE_MISSING, PROFILE_LINK
 */
export function findProfile(directory: string, described = directory): Profile {
  for (const [etc, world] of layouts) {
    const profile = { etcPortage: join(directory, etc), worldDirectory: join(directory, world) }
    const parts = [etc, join(world, 'world')]
    const [isEtc, isWorld] = [isDirectory(profile.etcPortage), isFile(join(profile.worldDirectory, 'world'))]
    if (!isEtc || !isWorld || linkAmong(directory, parts) !== undefined) continue
    requireSets(profile.worldDirectory, described)
    return profile
  }
  const link = linkAmong(
    directory,
    layouts.flatMap(([etc, world]) => [etc, join(world, 'world')]),
  )
  if (link !== undefined) throw isLink(link, join(directory, link), described)
  const there = listDirectory(directory).flatMap(({ name }) => (name === '.git' ? [] : name))
  throw configurationError(
    'PROFILE_MISSING',
    `${described} holds no machine profile`,
    'it must have etc-portage/ and world, or configs/etc-portage/ and configs/var-lib-portage/world' +
      (there.length > 0 ? `; it has ${there.slice(0, 8).join(', ')}: set the machine's profile.path` : ''),
  )
}

function isFile(path: string): boolean {
  return statusOf(path)?.isFile() ?? false
}

/** The first of these paths, or of what lies above them below `directory`, that is a symlink. */
function linkAmong(directory: string, paths: readonly string[]): string | undefined {
  const above = paths.flatMap((path) => path.split('/').map((_, index, parts) => parts.slice(0, index + 1).join('/')))
  return above.find((path) => linkTarget(join(directory, path)) !== undefined)
}

/** `world_sets` may be missing; what is there must be meant for one. */
function requireSets(directory: string, described: string): void {
  const path = join(directory, 'world_sets')
  if (linkTarget(path) !== undefined) throw isLink('world_sets', path, described)
  if (statusOf(path) === undefined || isFile(path)) return
  throw configurationError(
    'PROFILE_MISSING',
    `world_sets in ${described} is no file`,
    'make it a file with one set on a line, or remove it',
  )
}

function isLink(name: string, path: string, described: string): Error {
  return configurationError(
    'PROFILE_LINK',
    `${name} in ${described} is a symlink to ${linkTarget(path) ?? ''}`,
    `put a real file or directory there; to share a whole profile, let the machine's own directory be the link`,
  )
}

/** Writes `world` and `world_sets` (empty where the profile has none) into a new directory. */
export function writeWorld(profile: Profile, directory: string): void {
  makeDirectory(directory)
  for (const name of ['world', 'world_sets']) {
    const from = join(profile.worldDirectory, name)
    if (isFile(from)) copyFile(from, join(directory, name))
    else writeNew(join(directory, name), '')
  }
}
