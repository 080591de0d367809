import type { PublicKeyConfig } from '../config/keys.js'
import { now } from '../system/clock.js'
import { readPublicKey } from './key-file.js'
import { signingKeys } from './signing-keys.js'

/** What clients make of a key's signatures at this moment; its public part is all that is needed to know. */
export interface AcceptedKeys {
  /** binary, as clients get it */
  publicKey: Uint8Array
  /** until when they accept what the key signs now; undefined: for ever */
  expires: Date | undefined
  /** whether they accept signatures of a key or subkey of this key, by its fingerprint */
  accepts(fingerprint: string): boolean
}

/**
 * @param key its public file
 * @throws KEY_UNREADABLE, KEY_INVALID, KEY_DIFFERENT, KEY_EXPIRED, KEY_REVOKED, KEY_UNSUPPORTED, KEY_CANNOT_SIGN
 */
export async function acceptedKeys(key: PublicKeyConfig): Promise<AcceptedKeys> {
  const publicKey = await readPublicKey(key)
  const usable = await signingKeys(publicKey, key, new Date(now()))
  return {
    publicKey: publicKey.write(),
    expires: usable[0]?.expires,
    accepts: (fingerprint) => usable.some((one) => one.fingerprint === fingerprint),
  }
}
