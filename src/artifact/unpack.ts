import type { Readable } from 'node:stream'
import type { Pack } from '../model/build.js'
import { configurationError, publishError } from '../model/errors.js'
import type { Entry, Manifest } from '../model/manifest.js'
import type { Context } from '../model/report.js'
import { explainDiskError, exists, listDirectory, makeDirectory, removeTree } from '../system/files.js'
import { CheckedInput } from './checked-input.js'
import { directorySink } from './directory-sink.js'
import { TarParser } from './tar-parser.js'
import { policyOf, refused, unpackedLimit } from './tar-policy.js'
import type { TarSink } from './tar-sink.js'
import { together } from './together.js'
import { SingleFrame } from './zstd-frame.js'
import { channel, decompress, feed, isBroken } from './zstd.js'

/**
 * Reads a pack file to its end: decompresses it, checks its size and sha256, enforces the unpack policy of its role.
 * Reports its progress in bytes of the pack file.
 * @returns the entries of the tar (those with an origin in the manifest are not among them)
 * @throws PACK_DAMAGED, ARCHIVE_REFUSED, ABORTED, and what `sink` throws
 */
export async function readPack(pack: Pack, input: Readable, sink: TarSink, context: Context): Promise<Entry[]> {
  const checked = new CheckedInput(pack, input, context)
  const parser = new TarParser(pack.file, policyOf(pack.role), sink)
  let entries: Entry[]
  try {
    if (pack.file.endsWith('.zst')) await readCompressed(pack, checked, parser, context)
    else await checked.forEach((chunk) => parser.push(chunk))
    entries = parser.end()
  } catch (error) {
    parser.abandon()
    checked.check()
    throw isBroken(error) ? refused(pack.file, undefined, error.message) : error
  } finally {
    input.destroy()
  }
  checked.check()
  return entries
}

async function readCompressed(pack: Pack, input: CheckedInput, parser: TarParser, context: Context): Promise<void> {
  const refuse = (rule: string): Error => refused(pack.file, undefined, rule)
  const frame = new SingleFrame(refuse)
  const limit = unpackedLimit(pack.size)
  let unpacked = 0
  await together(`reading ${pack.file}`, context.signal, (signal) => {
    const compressed = channel(signal)
    const pump = input.forEach(async (chunk) => {
      frame.push(chunk)
      await feed(compressed, chunk, signal)
    })
    const ended = pump.then(() => {
      frame.end()
      compressed.end()
    })
    const unpack = (chunk: Buffer): void => {
      unpacked += chunk.length
      if (unpacked > limit) throw refuse(`it unpacks to more than ${limit} bytes, which no pack of its size does`)
      parser.push(chunk)
    }
    return [ended, decompress(compressed, unpack, signal)]
  })
}

/**
 * Unpacks into a directory that is not there yet or empty: files 0644 or 0755, mtime by objectMtime. On an error the
 * directory is removed.
 * @throws what readPack throws, PACK_CONTRADICTORY where it is not what its manifest says, UNPACK_EXISTS, DISK
 */
export async function unpackPack(
  pack: Pack,
  manifest: Manifest,
  input: Readable,
  directory: string,
  context: Context,
): Promise<void> {
  if (exists(directory) && listDirectory(directory).length > 0) {
    input.destroy()
    throw configurationError(
      'UNPACK_EXISTS',
      `${pack.file} cannot be unpacked to ${directory}: there is something already`,
      'name a directory that is not there yet',
    )
  }
  try {
    makeDirectory(directory)
    checkEntries(pack, manifest, await readPack(pack, input, directorySink(directory), context))
  } catch (error) {
    input.destroy()
    removeTree(directory)
    throw explainDiskError(error, directory)
  }
}

/**
 * Holds what a pack file carries against its manifest. Directories that hold only files of earlier builds may be
 * missing in the pack.
 * @throws PACK_CONTRADICTORY unless `entries` are those of the manifest that have no origin
 */
export function checkEntries(pack: Pack, manifest: Manifest, entries: readonly Entry[]): void {
  const expected = new Map(manifest.entries.filter((entry) => !hasOrigin(entry)).map((entry) => [entry.path, entry]))
  for (const entry of entries) {
    if (!same(entry, expected.get(entry.path))) throw contradictory(pack, `${entry.path} is not what its manifest says`)
    expected.delete(entry.path)
  }
  for (const entry of expected.values()) {
    if (entry.type !== 'directory') throw contradictory(pack, `it lacks ${entry.path}, which its manifest lists`)
  }
}

/** Both have the sums that the build record names, so they were made like this. */
function contradictory({ file }: Pack, why: string): Error {
  return publishError(
    'PACK_CONTRADICTORY',
    `${file} and its manifest contradict each other: ${why}`,
    'nothing of it was taken over; see what wrote it, and build again with --full',
  )
}

function hasOrigin(entry: Entry): boolean {
  return entry.type === 'file' && entry.origin !== undefined
}

function same(found: Entry, listed: Entry | undefined): boolean {
  if (listed === undefined) return false
  if (found.type === 'file') {
    return (
      listed.type === 'file' &&
      found.sha256 === listed.sha256 &&
      found.executable === listed.executable &&
      found.size === listed.size
    )
  }
  if (found.type === 'symlink') return listed.type === 'symlink' && found.target === listed.target
  return listed.type === 'directory'
}
