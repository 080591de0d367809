import { publishError } from '../model/errors.js'
import { sha256Of } from '../model/object-key.js'
import type { ObjectKey } from '../model/object-key.js'
import type { Context } from '../model/report.js'
import { findDerived, placeDerived } from '../store/derived.js'
import type { Derived } from '../store/derived.js'
import type { Store } from '../store/layout.js'
import { readBytes, readStream, statusOf } from '../system/files.js'
import { sha256, sha256Sum } from '../system/hash.js'
import { aborted } from '../system/process.js'
import type { Content, Signer } from './signer.js'

/** So many signatures are written at a time; what a stop loses is what has not been written. */
const BATCH = 500

/**
 * Detached signatures of objects, made where the store has none that lasts; durable when it returns.
 * @returns key of each signed object → its signature
 * @throws OBJECT_DAMAGED, LOCKED, DISK, ABORTED, and what the signer throws
 */
export async function ensureSignatures(
  store: Store,
  signer: Signer,
  keys: Iterable<ObjectKey>,
  context: Context,
): Promise<Map<ObjectKey, Derived>> {
  const { fingerprint, signingKey: by } = signer
  const found = new Map<ObjectKey, Derived>()
  const missing: ObjectKey[] = []
  for (const key of new Set(keys)) {
    const derived = findSignature(store, fingerprint, key)
    if (derived !== undefined && signer.lasts(derived.by)) found.set(key, derived)
    else missing.push(key)
  }
  if (missing.length > 0) context.report.step(`signing with ${fingerprint}`)
  for (let at = 0; at < missing.length; at += BATCH) {
    const made = new Map<ObjectKey, Buffer>()
    for (const key of missing.slice(at, at + BATCH)) {
      context.report.progress(at + made.size, missing.length)
      if (context.signal.aborted) throw aborted('signing')
      made.set(key, await signer.detached(contentOf(store, key, context.signal)))
    }
    const placed = await placeDerived(store, { fingerprint, by, kind: 'sig' }, made, context)
    placed.forEach((derived, key) => found.set(key, derived))
  }
  return found
}

/** The signature that the store has of an object; undefined where there is none, or its mapping leads nowhere. */
export function findSignature(store: Store, fingerprint: string, key: ObjectKey): Derived | undefined {
  return findDerived(store, fingerprint, key, 'sig')
}

const LARGE = 8 * 2 ** 20

/** An object's content, and an error rather than another one: what is damaged must not be signed. */
function contentOf(store: Store, key: ObjectKey, signal: AbortSignal): Content {
  const path = store.object(key)
  const status = statusOf(path)
  if (!status?.isFile()) throw damaged(path)
  if (status.size > LARGE) return () => checkedStream(path, key, signal)
  const bytes = readBytes(path)
  if (sha256(bytes) !== sha256Of(key)) throw damaged(path)
  return () => bytes
}

async function* checkedStream(path: string, key: ObjectKey, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const sum = sha256Sum()
  for await (const chunk of readStream(path, { highWaterMark: 1 << 20 })) {
    if (signal.aborted) throw aborted('signing')
    sum.update(chunk as Buffer)
    yield chunk as Buffer
  }
  if (sum.digest('hex') !== sha256Of(key)) throw damaged(path)
}

function damaged(path: string): Error {
  return publishError(
    'OBJECT_DAMAGED',
    `${path} is not what it was when it was pulled, so it is not signed`,
    'run `treeswap check` and do as it says',
  )
}
