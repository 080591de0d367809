import { join, relative } from 'node:path'
import type { ObjectKey } from '../model/object-key.js'
import { breathe } from '../system/clock.js'
import { listDirectory, statusOf } from '../system/files.js'
import { aborted } from '../system/process.js'
import { readMapping } from './derived.js'
import type { Derived } from './derived.js'
import { foreign } from './finding.js'
import type { Finding } from './finding.js'
import type { Store } from './layout.js'
import { isSoundObject, sumsOfSoundObject } from './objects.js'

/** What was made from objects and is not as it should be. */
export interface DerivedCheck {
  /** sha256 of each object from which something was made that is damaged or missing */
  origins: ReadonlySet<string>
  /** whether a mapping leads to an object */
  isDerived(key: ObjectKey): boolean
  /**
   * @param users references of the builds that need an object, by its sha256
   * @param key a damaged object that nothing but mappings lead to
   */
  damagedObject(key: ObjectKey, users: (origin: string) => string[]): Finding
  findings(users: (origin: string) => string[]): Finding[]
}

interface Broken {
  kind: 'damaged' | 'missing'
  path: string
  origin: string
}

const HINT = 'the next publish of a tree that needs it makes it anew'

/** What a check knows of the objects that were there when it read them. */
interface Known {
  sound: ReadonlySet<ObjectKey>
  /** those that have findings of their own */
  damaged: ReadonlySet<ObjectKey>
  sums: ReadonlyMap<ObjectKey, Record<'md5' | 'sha1', string>>
}

/** The objects whose sums, besides sha256, mappings tell. */
export function objectsWithSums(store: Store): Set<ObjectKey> {
  const mapped = listMappings(store).mappings.map(({ fingerprint, name }) => readMapping(store, fingerprint, name))
  return new Set(mapped.flatMap((one) => (one?.sums === undefined ? [] : [one.key])))
}

/**
 * Reads every mapping in `derived/` and looks for the objects that they lead to. What a publish makes meanwhile is read
 * here.
 * @throws ABORTED
 */
export async function checkDerived(store: Store, known: Known, signal: AbortSignal): Promise<DerivedCheck> {
  const { foreign: strange, mappings } = listMappings(store)
  const broken: Broken[] = []
  const sound = new Set(known.sound)
  /** derived object → what it was made from */
  const origins = new Map<ObjectKey, string[]>()
  for (const { fingerprint, name } of mappings) {
    const path = store.derived(fingerprint, name)
    const origin = name.slice(0, 64)
    const mapped = readMapping(store, fingerprint, name)
    if (mapped === undefined) {
      broken.push({ kind: 'damaged', path, origin })
      continue
    }
    const { key } = mapped
    const isKnown = origins.has(key)
    origins.set(key, [...(origins.get(key) ?? []), origin])
    if (!sound.has(key) && !known.damaged.has(key) && (await isSoundObject(store.object(key), key))) sound.add(key)
    if (sound.has(key)) {
      const sums = mapped.sums && (known.sums.get(key) ?? (await sumsOfSoundObject(store.object(key), key, signal)))
      if (!agrees(store, mapped, sums)) broken.push({ kind: 'damaged', path, origin })
    } else if (!known.damaged.has(key) && !isKnown) {
      const kind = statusOf(store.object(key)) === undefined ? 'missing' : 'damaged'
      broken.push({ kind, path: store.object(key), origin })
    }
    await breathe()
    if (signal.aborted) throw aborted('the check')
  }
  const finding = (kind: Broken['kind'], path: string, builds: Iterable<string>): Finding => {
    const hint = kind === 'damaged' ? `remove it; ${HINT}` : HINT
    return { kind, path: relative(store.root, path), builds: [...new Set(builds)], hint }
  }
  return {
    origins: new Set([
      ...broken.map(({ origin }) => origin),
      ...[...origins].flatMap(([key, from]) => (sound.has(key) ? [] : from)),
    ]),
    isDerived: (key) => origins.has(key),
    damagedObject: (key, users) => finding('damaged', store.object(key), (origins.get(key) ?? []).flatMap(users)),
    findings: (users) => [...strange, ...broken.map(({ kind, path, origin }) => finding(kind, path, users(origin)))],
  }
}

function listMappings(store: Store): { foreign: Finding[]; mappings: { fingerprint: string; name: string }[] } {
  const found: Finding[] = []
  const mappings: { fingerprint: string; name: string }[] = []
  const top = join(store.root, 'derived')
  for (const directory of listDirectory(top)) {
    if (!directory.isDirectory() || !/^[0-9A-F]{40}$/.test(directory.name)) {
      found.push(foreign(store, join(top, directory.name)))
      continue
    }
    for (const { name } of listDirectory(join(top, directory.name))) {
      if (/^[0-9a-f]{64}\.(sig|gpkg)$/.test(name)) mappings.push({ fingerprint: directory.name, name })
      else found.push(foreign(store, store.derived(directory.name, name)))
    }
  }
  return { foreign: found, mappings }
}

/** Whether a mapping says of a sound object what is so. @param found where it tells sums: what they are */
function agrees(
  store: Store,
  { key, size, sums }: Derived,
  found: Record<'md5' | 'sha1', string> | undefined,
): boolean {
  if (statusOf(store.object(key))?.size !== size) return false
  return sums === undefined || (sums.MD5 === found?.md5 && sums.SHA1 === found.sha1)
}
