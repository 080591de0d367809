import { publishError } from '../model/errors.js'
import type { FileMap, Source } from '../model/file-map.js'
import type { Context } from '../model/report.js'
import type { Store } from '../store/layout.js'
import { breathe } from '../system/clock.js'
import { errorCode, linkOrCopy, makeOneDirectory, setTimes, symlink, writeNew } from '../system/files.js'
import { aborted } from '../system/process.js'

/** Entries between two looks at signals and the clock. */
const BATCH = 2000

export interface Filled {
  links: number
  /** files that the file system refused to link */
  copies: number
}

/**
 * Makes what a file map says in a new directory. Parents are made one component at a time, never through anything
 * that is there already, so no entry is ever written through a symlink of the map.
 * @throws OBJECT_MISSING, TREE_INVALID, ABORTED, and the file system's own errors
 */
export async function fillGeneration(
  store: Store,
  files: FileMap,
  directory: string,
  context: Context,
): Promise<Filled> {
  const filled: Filled = { links: 0, copies: 0 }
  const made = new Set<string>([''])
  makeOneDirectory(directory)
  let done = 0
  for (const [path, source] of files) {
    try {
      if (source.kind === 'directory') makeParents(directory, path, made)
      else {
        const slash = path.lastIndexOf('/')
        if (slash !== -1) makeParents(directory, path.slice(0, slash), made)
        put(store, source, `${directory}/${path}`, filled)
      }
    } catch (error) {
      throw explain(error, path, source)
    }
    if (++done % BATCH === 0) {
      context.report.progress(done, files.size)
      await breathe()
      if (context.signal.aborted) throw aborted('the publish')
    }
  }
  context.report.progress(files.size, files.size)
  return filled
}

function makeParents(top: string, path: string, made: Set<string>): void {
  if (made.has(path)) return
  const slash = path.lastIndexOf('/')
  if (slash !== -1) makeParents(top, path.slice(0, slash), made)
  makeOneDirectory(`${top}/${path}`)
  made.add(path)
}

function put(store: Store, source: Exclude<Source, { kind: 'directory' }>, path: string, filled: Filled): void {
  switch (source.kind) {
    case 'object':
      if (linkOrCopy(store.object(source.key), path)) filled.copies++
      else filled.links++
      break
    case 'symlink':
      symlink(source.target, path)
      break
    case 'text':
      writeNew(path, source.content)
      setTimes(path, source.mtime, source.mtime)
      break
  }
}

function explain(error: unknown, path: string, source: Source): unknown {
  const code = errorCode(error)
  if (code === 'ENOENT' && source.kind === 'object') {
    return publishError(
      'OBJECT_MISSING',
      `the store lacks the content of ${path} (object ${source.key})`,
      'pull that build again: it brings what is missing; `treeswap check` finds whatever else was lost',
      error,
    )
  }
  if (code === 'EEXIST' || code === 'ENOTDIR') {
    return publishError(
      'TREE_INVALID',
      `the build says two things about ${path}, or puts files below something that is no directory`,
      'see which of its packs has that path, mend it, and build again',
      error,
    )
  }
  return error
}
