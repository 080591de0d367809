import type { Readable } from 'node:stream'
import type { Pack } from '../model/build.js'
import type { Entry, Manifest } from '../model/manifest.js'
import type { Context } from '../model/report.js'
import type { TarSink } from './read-tar.js'

/**
 * Reads a pack file to its end: decompresses it, checks its size and sha256, enforces the unpack policy of its role.
 * @returns the entries of the tar (those with an origin in the manifest are not among them)
 * @throws PACK_DAMAGED, ARCHIVE_REFUSED, ABORTED
 */
export function readPack(_pack: Pack, _input: Readable, _sink: TarSink, _context: Context): Promise<Entry[]> {
  throw new Error('not yet')
}

/**
 * Unpacks into a directory that is not there yet or empty: files 0644 or 0755, mtime by objectMtime. On an error the
 * directory is removed.
 * @throws what readPack throws, PACK_DAMAGED where it is not what its manifest says, UNPACK_EXISTS, DISK
 */
export function unpackPack(
  _pack: Pack,
  _manifest: Manifest,
  _input: Readable,
  _directory: string,
  _context: Context,
): Promise<void> {
  throw new Error('not yet')
}

/** @throws PACK_DAMAGED unless `entries` are exactly those of the manifest that have no origin */
export function checkEntries(_pack: Pack, _manifest: Manifest, _entries: readonly Entry[]): void {
  throw new Error('not yet')
}
