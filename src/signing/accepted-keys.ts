import type { PublicKeyConfig } from '../config/keys.js'
import { now } from '../system/clock.js'
import { expiresSoon } from './expiry.js'
import { readPublicKey } from './key-file.js'
import { signingKeys } from './signing-keys.js'
import type { SigningKey } from './signing-keys.js'

/** What clients make of a key's signatures at this moment; its public part is all that is needed to know. */
export interface AcceptedKeys {
  /** binary, as clients get it */
  publicKey: Uint8Array
  /** until when they accept what the key signs now; undefined: for ever */
  expires: Date | undefined
  /** whether they accept signatures of a key or subkey of this key, by its fingerprint */
  accepts(fingerprint: string): boolean
  /**
   * Why signatures of a key or subkey should be made anew before clients refuse them: it expires within 30 days, and
   * another one of this key lasts longer. Undefined: no reason.
   */
  outlived(fingerprint: string): string | undefined
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
    outlived: (fingerprint) => usable[0] && outlivedBy(usable, fingerprint, usable[0]),
  }
}

/** Why signatures of one of a key should be made anew by another one of it; undefined: no reason. */
export function outlivedBy(usable: readonly SigningKey[], fingerprint: string, by: SigningKey): string | undefined {
  const old = usable.find((one) => one.fingerprint === fingerprint)
  const soon = expiresSoon(old?.expires)
  if (old?.expires === undefined || soon === undefined) return undefined
  if (by.expires !== undefined && by.expires <= old.expires) return undefined
  return `${fingerprint}, which ${soon}, and ${by.fingerprint} of the same key lasts longer`
}
