import { join, relative } from 'node:path'
import type { ObjectKey } from '../model/object-key.js'
import { breathe } from '../system/clock.js'
import { listDirectory, readStream, statusOf } from '../system/files.js'
import { sumsOf } from '../system/hash.js'
import { aborted } from '../system/process.js'
import { readMapping } from './derived.js'
import type { Derived } from './derived.js'
import { foreign } from './finding.js'
import type { Finding } from './finding.js'
import type { Store } from './layout.js'

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

/**
 * Reads every mapping in `derived/` and looks for the objects that they lead to.
 * @param damaged those that are there and not as they should be: they have findings of their own
 * @throws ABORTED
 */
export async function checkDerived(
  store: Store,
  sound: ReadonlySet<ObjectKey>,
  damaged: ReadonlySet<ObjectKey>,
  signal: AbortSignal,
): Promise<DerivedCheck> {
  const { foreign: strange, mappings } = listMappings(store)
  const broken: Broken[] = []
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
    if (sound.has(key)) {
      if (!(await agrees(store, mapped, signal))) broken.push({ kind: 'damaged', path, origin })
    } else if (!damaged.has(key) && !isKnown) broken.push({ kind: 'missing', path: store.object(key), origin })
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

/** Whether a mapping says of a sound object what is so. */
async function agrees(store: Store, { key, size, sums }: Derived, signal: AbortSignal): Promise<boolean> {
  const path = store.object(key)
  if (statusOf(path)?.size !== size) return false
  if (sums === undefined) return true
  const found = sumsOf('md5', 'sha1')
  for await (const chunk of readStream(path, { highWaterMark: 1 << 20 })) {
    if (signal.aborted) throw aborted('the check')
    found.update(chunk as Buffer)
  }
  const { md5, sha1 } = found.digest()
  return sums.MD5 === md5 && sums.SHA1 === sha1
}
