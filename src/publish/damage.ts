import { join } from 'node:path'
import type { FileMap, Source } from '../model/file-map.js'
import type { Context } from '../model/report.js'
import { MARKER_FILE } from '../store/generations.js'
import type { Marker } from '../store/generations.js'
import type { Store } from '../store/layout.js'
import { isSoundObject } from '../store/objects.js'
import { breathe } from '../system/clock.js'
import { linkTarget, listDirectory, statusOf } from '../system/files.js'
import { sha256OfFile } from '../system/hash.js'
import { aborted } from '../system/process.js'

export interface Damage {
  kind: 'damaged' | 'missing' | 'foreign'
  /** relative to the generation */
  path: string
}

/**
 * Compares a generation with what it should be. A file that is the very object of the store counts as sound here:
 * whether objects are sound is another question (checkObjects).
 * @param content what the build gives (contentOf)
 */
export async function findDamage(store: Store, marker: Marker, content: FileMap, context: Context): Promise<Damage[]> {
  const top = store.generation(marker.tree, marker.serial)
  const expected = new Set([...content.keys(), ...Object.keys(marker.index), MARKER_FILE])
  const damage: Damage[] = []
  let done = 0
  for (const path of expected) {
    const source = content.get(path)
    const digest = marker.index[path]
    const kind = await judge(store, join(top, path), path === MARKER_FILE ? undefined : source, digest)
    if (kind !== undefined) damage.push({ kind, path })
    if (++done % 1000 === 0) {
      context.report.progress(done, expected.size)
      await breathe()
      if (context.signal.aborted) throw aborted('the check')
    }
  }
  return [...damage, ...foreign(top, '', parentsOf(expected))]
}

async function judge(
  store: Store,
  path: string,
  source: Source | undefined,
  digest: string | undefined,
): Promise<Damage['kind'] | undefined> {
  const status = statusOf(path)
  if (status === undefined) return 'missing'
  if (digest !== undefined) return status.isFile() && (await sha256OfFile(path)) === digest ? undefined : 'damaged'
  if (source === undefined) return undefined
  switch (source.kind) {
    case 'directory':
      return status.isDirectory() ? undefined : 'damaged'
    case 'symlink':
      return linkTarget(path) === source.target ? undefined : 'damaged'
    case 'text':
      return status.isFile() && status.size === source.content.length ? undefined : 'damaged'
    case 'object': {
      const object = statusOf(store.object(source.key))
      if (object?.ino === status.ino && object.dev === status.dev) return undefined
      return (await isSoundObject(path, source.key)) ? undefined : 'damaged'
    }
  }
}

/** All paths and the directories above them. */
function parentsOf(paths: ReadonlySet<string>): ReadonlySet<string> {
  const known = new Set(paths)
  for (const path of paths) {
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const parent = path.slice(0, slash)
      if (known.has(parent)) break
      known.add(parent)
    }
  }
  return known
}

function foreign(top: string, directory: string, known: ReadonlySet<string>): Damage[] {
  return listDirectory(join(top, directory)).flatMap((entry) => {
    const path = directory === '' ? entry.name : `${directory}/${entry.name}`
    if (!known.has(path)) return [{ kind: 'foreign' as const, path }]
    return entry.isDirectory() ? foreign(top, path, known) : []
  })
}
