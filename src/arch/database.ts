import { TarBlocks, tarEnd } from '../artifact/tar-blocks.js'
import { publishError } from '../model/errors.js'
import { breathe } from '../system/clock.js'
import { descText, filesText } from './desc.js'
import type { DatabaseEntry } from './desc.js'
import { GzipWriter } from './gzip-writer.js'

export type { DatabaseEntry } from './desc.js'

/** A piece of an archive that is compressed on another thread while the next is being made. */
const PIECE = 2 ** 20

/**
 * The two databases of a repo, as repo-add makes them: `db`, a tar of NAME-VERSION/desc, and `files`, which has
 * NAME-VERSION/files as well; both compressed with gzip. Equal packages give equal bytes, in whatever order they come.
 * @throws PACKAGE_TWICE: pacman would take one of the two
 */
export async function databaseFiles(entries: readonly DatabaseEntry[]): Promise<{ db: Buffer; files: Buffer }> {
  const sorted = entries.toSorted(byName)
  refuseTwice(sorted)
  const db = new GzipWriter(PIECE)
  const files = new GzipWriter(PIECE)
  const tar = new TarBlocks()
  for (const entry of sorted) {
    const { name, version } = entry.record.info
    const directory = `${name}-${version}`
    tar.clear()
    tar.directory(directory)
    tar.file(`${directory}/desc`, descText(entry))
    const full = db.write(tar.bytes)
    tar.file(`${directory}/files`, filesText(entry))
    if (files.write(tar.bytes) || full) await breathe()
  }
  for (const archive of [db, files]) archive.write(tarEnd(archive.length))
  const [dbBytes, filesBytes] = await Promise.all([db.end(), files.end()])
  return { db: dbBytes, files: filesBytes }
}

function refuseTwice(sorted: DatabaseEntry[]): void {
  for (const [index, entry] of sorted.entries()) {
    const { name } = entry.record.info
    const before = sorted[index - 1]
    if (name === before?.record.info.name) throw twice(name, before.file, entry.file)
  }
}

function byName({ record: { info: a } }: DatabaseEntry, { record: { info: b } }: DatabaseEntry): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0
}

function twice(name: string, ...files: string[]): Error {
  return publishError(
    'PACKAGE_TWICE',
    `the repo would have ${name} twice: ${files.join(' and ')}`,
    'let one recipe alone make it, then build again',
  )
}
