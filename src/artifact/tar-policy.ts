import type { Role } from '../model/build.js'
import { publishError } from '../model/errors.js'

/** What an archive may hold. */
export interface Policy {
  /** entries */
  maxEntries: number
  /** bytes of one file */
  maxFileSize: number
  /** bytes of all files together */
  maxBytes: number
  /** whether there may be symlinks at all */
  symlinks: boolean
  /** whether setuid bits and extended attributes are of no account, because nothing of it will be unpacked */
  attributes: boolean
  /** whether a symlink may point out of the archive's top */
  linkMayLeave: (path: string, target: string) => boolean
}

const GiB = 2 ** 30

export const defaultPolicy: Policy = {
  maxEntries: 500_000,
  maxFileSize: 16 * GiB,
  maxBytes: 256 * GiB,
  symlinks: true,
  attributes: false,
  linkMayLeave: () => false,
}

/**
 * A Gentoo profile's `make.profile` points into the ebuild repos, outside of /etc/portage. Binary packages and their
 * index are files: in place of a link, what is written fresh at every publish would not be.
 */
export function policyOf(role: Role): Partial<Policy> {
  if (role === 'etc-portage') return { linkMayLeave: (path) => path === 'make.profile' }
  return role === 'packages' ? { symlinks: false } : {}
}

/** How many times its own size a compressed pack may unpack to; below 64 MiB it does not matter. */
const RATIO = 1000
const HARMLESS = 64 * 2 ** 20

/** Bytes of tar that a pack file of `size` bytes may unpack to. */
export function unpackedLimit(size: number): number {
  return Math.max(HARMLESS, RATIO * size)
}

/** @param entry its path as the archive has it; undefined where the archive as a whole is meant */
export function refused(archive: string, entry: string | undefined, rule: string): Error {
  return publishError(
    'ARCHIVE_REFUSED',
    `${archive} was refused: ${entry === undefined ? '' : `${JSON.stringify(entry)}: `}${rule}`,
    'nothing of it was taken over; mend what it was made from, and build again',
  )
}
