import { join } from 'node:path'
import { configurationError } from '../model/errors.js'
import { copyFile, isDirectory, listDirectory, makeDirectory, statusOf, writeNew } from '../system/files.js'

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
 * `configs/var-lib-portage/world`.
 * @throws PROFILE_MISSING
 */
export function findProfile(directory: string): Profile {
  for (const [etc, world] of layouts) {
    const profile = { etcPortage: join(directory, etc), worldDirectory: join(directory, world) }
    const isWorld = statusOf(join(profile.worldDirectory, 'world'))?.isFile()
    if (isDirectory(profile.etcPortage) && isWorld) return profile
  }
  const there = listDirectory(directory).map((entry) => entry.name)
  throw configurationError(
    'PROFILE_MISSING',
    `${directory} holds no machine profile`,
    'it must have etc-portage/ and world, or configs/etc-portage/ and configs/var-lib-portage/world' +
      (there.length > 0 ? `; it has ${there.slice(0, 8).join(', ')}: set the machine's profile.path` : ''),
  )
}

/** Writes `world` and `world_sets` (empty where the profile has none) into a new directory. */
export function writeWorld(profile: Profile, directory: string): void {
  makeDirectory(directory)
  for (const name of ['world', 'world_sets']) {
    const from = join(profile.worldDirectory, name)
    if (statusOf(from)?.isFile()) copyFile(from, join(directory, name))
    else writeNew(join(directory, name), '')
  }
}
