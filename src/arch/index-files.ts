import type { FileMap } from '../model/file-map.js'
import type { Signer } from '../signing/signer.js'
import type { Stamps } from '../store/generations.js'
import { repoDirectory } from './assemble.js'
import { databaseFiles } from './database.js'
import type { DatabaseEntry } from './database.js'
import { isDebug } from './debug-package.js'

export interface RepoIndexRequest {
  /** name of the tree, and so of the repo */
  tree: string
  architecture: string
  packages: readonly DatabaseEntry[]
  /** the latest that were ever given */
  stamps: Stamps
  /** seconds since 1970 */
  now: number
  /** undefined: the databases are not signed */
  signer?: Signer | undefined
}

/**
 * The databases of a generation, `NAME.db` and `NAME.files`, those of debug packages beside them (`NAME-debug.db`),
 * their signatures, and the public key (`NAME.gpg`) for clients that are new; and the stamps they leave. Stamps rise
 * strictly, also where a database is what it was: clients ignore one that is not newer than theirs.
 * @throws PACKAGE_TWICE, and what the signer throws
 */
export async function repoIndexFiles(request: RepoIndexRequest): Promise<{ files: FileMap; stamps: Stamps }> {
  const { tree, packages, signer } = request
  const directory = repoDirectory(request.architecture)
  const debug = `${tree}-debug`
  const repos = new Map([[tree, packages.filter(({ record }) => !isDebug(record))]])
  const debugPackages = packages.filter(({ record }) => isDebug(record))
  // clients that were told of it go on asking for it
  const wasThere = request.stamps[databasePath(directory, debug)] !== undefined
  if (debugPackages.length > 0 || wasThere) repos.set(debug, debugPackages)
  const paths = [...repos.keys()].map((name) => databasePath(directory, name))
  const last = Math.max(...paths.map((path) => request.stamps[path]?.time ?? 0))
  const mtime = Math.max(request.now, last + 1)
  const files: FileMap = new Map()
  for (const [name, entries] of repos) {
    const { db, files: withFiles } = await databaseFiles(entries)
    for (const [ending, content] of [
      ['db', db],
      ['files', withFiles],
    ] as const) {
      const path = `${directory}/${name}.${ending}`
      files.set(path, { kind: 'text', content, mtime })
      if (signer === undefined) continue
      files.set(`${path}.sig`, { kind: 'text', content: await signer.detached(() => content), mtime })
    }
  }
  if (signer !== undefined) {
    files.set(`${directory}/${tree}.gpg`, { kind: 'text', content: Buffer.from(signer.publicKey), mtime })
  }
  const stamps = Object.fromEntries(paths.map((path) => [path, { time: mtime }]))
  return { files, stamps: { ...request.stamps, ...stamps } }
}

function databasePath(directory: string, name: string): string {
  return `${directory}/${name}.db`
}
