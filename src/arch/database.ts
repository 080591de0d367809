import { gzipSync } from 'node:zlib'
import { publishError } from '../model/errors.js'
import { descText, filesText } from './desc.js'
import type { DatabaseEntry } from './desc.js'
import { TarWriter } from './tar-writer.js'

export type { DatabaseEntry } from './desc.js'

/**
 * The two databases of a repo, as repo-add makes them: `db`, a tar of NAME-VERSION/desc, and `files`, which has
 * NAME-VERSION/files as well; both compressed with gzip. Equal packages give equal bytes, in whatever order they come.
 * @throws PACKAGE_TWICE: pacman would take one of the two
 */
export function databaseFiles(entries: readonly DatabaseEntry[]): { db: Buffer; files: Buffer } {
  const db = new TarWriter()
  const files = new TarWriter()
  let before: DatabaseEntry | undefined
  for (const entry of entries.toSorted(byName)) {
    const { name, version } = entry.record.info
    if (name === before?.record.info.name) throw twice(name, before.file, entry.file)
    before = entry
    const directory = `${name}-${version}`
    const desc = descText(entry)
    for (const tar of [db, files]) {
      tar.directory(directory)
      tar.file(`${directory}/desc`, desc)
    }
    files.file(`${directory}/files`, filesText(entry))
  }
  return { db: gzipSync(db.end()), files: gzipSync(files.end()) }
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
