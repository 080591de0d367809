import type { ObjectKey } from '../model/object-key.js'
import type { Context } from '../model/report.js'
import type { Derived } from '../store/derived.js'
import type { Store } from '../store/layout.js'
import type { Signer } from './signer.js'

/**
 * Detached signatures of objects, made where the store has none; durable when it returns.
 * @returns key of each signed object → its signature
 * @throws OBJECT_DAMAGED, DISK, ABORTED, and what the signer throws
 */
export function ensureSignatures(
  store: Store,
  signer: Signer,
  keys: Iterable<ObjectKey>,
  context: Context,
): Promise<Map<ObjectKey, Derived>> {
  return Promise.reject(
    new Error(
      `not written yet ${store.root} ${signer.fingerprint} ${[...keys].length} ${String(context.signal.aborted)}`,
    ),
  )
}

/** The signature that the store has of an object; undefined where there is none, or none that is whole. */
export function findSignature(store: Store, fingerprint: string, key: ObjectKey): Derived | undefined {
  throw new Error(`not written yet ${store.root} ${fingerprint} ${key}`)
}
