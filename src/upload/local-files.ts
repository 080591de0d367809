import { join } from 'node:path'
import { publishError } from '../model/errors.js'
import { listDirectory, statusOf } from '../system/files.js'

/**
 * When a file goes: a database names packages, so it goes when they and their signatures are there. Of one stage,
 * files go side by side; the index is put in place file by file, in this order.
 */
export type Stage = 'package' | 'signature' | 'index'

export interface LocalFile {
  /** relative, with slashes; no part of it begins with a dot */
  path: string
  size: number
  /** seconds since 1970 */
  mtime: number
  stage: Stage
}

const indexEndings = ['.files', '.files.sig', '.db', '.db.sig']

/**
 * The files of a generation, those of a stage in the order in which they are to be put in place. Dot files, which
 * servers hide, are left out.
 * @throws UPLOAD_UNSUPPORTED
 */
export function localFiles(directory: string): LocalFile[] {
  return walk(directory, '').sort((a, b) => rankOf(a.path) - rankOf(b.path) || (a.path < b.path ? -1 : 1))
}

/** Whether the file is of a database, which is replaced, and not of a package, whose name stays its own. */
export function isIndex(path: string): boolean {
  return indexEndings.some((ending) => path.endsWith(ending))
}

function walk(directory: string, prefix: string): LocalFile[] {
  return listDirectory(join(directory, prefix))
    .filter(({ name }) => !name.startsWith('.'))
    .flatMap((entry) => {
      const path = prefix + entry.name
      if (entry.isDirectory()) return walk(directory, `${path}/`)
      const status = statusOf(join(directory, path))
      if (!status?.isFile()) throw unsupported(path)
      return [{ path, size: status.size, mtime: Math.floor(status.mtimeMs / 1000), stage: stageOf(path) }]
    })
}

function stageOf(path: string): Stage {
  if (isIndex(path)) return 'index'
  return path.endsWith('.sig') ? 'signature' : 'package'
}

/** Databases come last. By name, a signature follows what it signs: clients fetch them in this order. */
function rankOf(path: string): number {
  return /\.db(\.sig)?$/.test(path) ? 1 : 0
}

function unsupported(path: string): Error {
  return publishError(
    'UPLOAD_UNSUPPORTED',
    `${path} is no regular file, and only those are uploaded`,
    'only pacman repos can be uploaded: serve other trees from this host',
  )
}
