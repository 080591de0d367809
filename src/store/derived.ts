import { join } from 'node:path'
import * as z from 'zod'
import { objectKey, objectMtime, sha256Of } from '../model/object-key.js'
import type { ObjectKey } from '../model/object-key.js'
import type { Context } from '../model/report.js'
import { breathe } from '../system/clock.js'
import {
  explainDiskError,
  makeDirectory,
  readTextIfThere,
  removeTree,
  rename,
  setTimes,
  statusOf,
  syncDirectory,
  syncFileSystem,
  writeNew,
} from '../system/files.js'
import { sha256 } from '../system/hash.js'
import { withLock } from '../system/lock.js'
import type { Store } from './layout.js'
import { isSoundObject, placeObjects } from './objects.js'

/**
 * An object that was made from another one with a key, such as its signature. It lies among the objects; the file
 * `derived/FINGERPRINT/SHA256.KIND` leads from the one to the other.
 */
export interface Derived {
  key: ObjectKey
  size: number
  /** fingerprint of the key or subkey that signed */
  by: string
  /** what indexes say of it besides, in hex */
  sums?: Sums
}

/** By their names in Portage's index of packages. */
interface Sums {
  MD5: string
  SHA1: string
}

/** What was made as a file, on the file system of the store; it is moved away. */
export interface MadeFile {
  path: string
  sha256: string
  size: number
  sums: Sums
}

/** `sig`: detached signature, `gpkg`: signed copy. */
export type DerivedKind = 'sig' | 'gpkg'

/** Name of the file that leads from an object to what was made from it. */
export function derivedName(key: ObjectKey, kind: DerivedKind): string {
  return `${sha256Of(key)}.${kind}`
}

const mapping = z.strictObject({
  schema: z.literal(1),
  /** `FINGERPRINT/NAME` of its own file: a copy under another name would lead to what was made from something else */
  place: z.string(),
  object: z.string().regex(/^[0-9a-f]{64}$/),
  size: z.int().nonnegative(),
  by: z.string().regex(/^[0-9A-F]{40}$/),
  sums: z
    .strictObject({ MD5: z.string().regex(/^[0-9a-f]{32}$/), SHA1: z.string().regex(/^[0-9a-f]{40}$/) })
    .optional(),
})

/** Where a mapping leads; undefined where there is none, or it is damaged. */
export function readMapping(store: Store, fingerprint: string, name: string): Derived | undefined {
  const text = readTextIfThere(store.derived(fingerprint, name))
  if (text === undefined) return undefined
  try {
    const { place: written, object, size, by, sums } = mapping.parse(JSON.parse(text))
    if (written !== `${fingerprint}/${name}`) return undefined
    return { key: object, size, by, ...(sums !== undefined && { sums }) }
  } catch {
    return undefined
  }
}

/** What was made from an object; undefined where the store has nothing, or its mapping leads nowhere. */
export function findDerived(store: Store, fingerprint: string, key: ObjectKey, kind: DerivedKind): Derived | undefined {
  const derived = readMapping(store, fingerprint, derivedName(key, kind))
  if (derived === undefined) return undefined
  const status = statusOf(store.object(derived.key))
  return status?.isFile() === true && status.size === derived.size ? derived : undefined
}

/** Seconds that one who writes waits for another: writing is a matter of moments. */
const PATIENCE = 60

/**
 * Takes what was made from objects into the store: the objects are durable before a mapping leads to them. Whatever
 * stops it, what the store has is whole. Of two that make the same, the later one's is what the mapping leads to.
 * @param made key of the object → what was made from it
 * @throws LOCKED, DISK, ABORTED
 */
export async function placeDerived(
  store: Store,
  { fingerprint, by, kind }: { fingerprint: string; by: string; kind: DerivedKind },
  made: ReadonlyMap<ObjectKey, Buffer | MadeFile>,
  { signal }: Context,
): Promise<Map<ObjectKey, Derived>> {
  if (made.size === 0) return new Map()
  const lock = { what: 'what was made from objects', wait: PATIENCE, signal }
  // in a directory of its own: a tree may be named `derived`
  return await withLock(store.lock('derived/place'), lock, async () => {
    const staging = store.incoming('.derived')
    try {
      removeTree(staging)
      makeDirectory(join(staging, 'objects'))
      makeDirectory(join(staging, 'mappings'))
      return await place(store, staging, fingerprint, kind, by, made)
    } catch (error) {
      throw explainDiskError(error, store.root)
    } finally {
      removeTree(staging)
    }
  })
}

function ofBuffer(content: Buffer): { sha256: string; size: number; sums?: undefined } {
  return { sha256: sha256(content), size: content.length }
}

async function place(
  store: Store,
  staging: string,
  fingerprint: string,
  kind: DerivedKind,
  by: string,
  made: ReadonlyMap<ObjectKey, Buffer | MadeFile>,
): Promise<Map<ObjectKey, Derived>> {
  const placed = new Map<ObjectKey, Derived>()
  const staged = new Set<ObjectKey>()
  for (const [from, content] of made) {
    const { sha256: digest, size, sums } = Buffer.isBuffer(content) ? ofBuffer(content) : content
    const key = objectKey(digest, false)
    placed.set(from, { key, size, by, ...(sums !== undefined && { sums }) })
    const name = derivedName(from, kind)
    const record = { schema: 1, place: `${fingerprint}/${name}`, object: key, size, by, sums }
    writeNew(join(staging, 'mappings', name), JSON.stringify(record) + '\n')
    if (staged.has(key) || (await isSoundObject(store.object(key), key))) continue
    const path = join(staging, 'objects', key)
    if (Buffer.isBuffer(content)) writeNew(path, content)
    else rename(content.path, path)
    setTimes(path, objectMtime(key), objectMtime(key))
    staged.add(key)
    if (staged.size % 2000 === 0) await breathe()
  }
  await syncFileSystem(staging)
  await placeObjects(store, join(staging, 'objects'), staged)
  if (staged.size > 0) await syncFileSystem(staging)
  const directory = store.derived(fingerprint, '')
  makeDirectory(directory)
  for (const from of made.keys()) {
    const name = derivedName(from, kind)
    rename(join(staging, 'mappings', name), join(directory, name))
  }
  syncDirectory(directory)
  syncDirectory(join(store.root, 'derived'))
  return placed
}
