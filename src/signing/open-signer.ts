import type { KeyConfig } from '../config/keys.js'
import type { Context } from '../model/report.js'
import type { Signer } from './signer.js'

/**
 * The signer of a key: from the file that TREESWAP_SIGNING_KEY names, else from the configured one, else gpg.
 * Warns of a key that expires within 30 days.
 * @throws SIGNING_KEY_MISSING, KEY_UNREADABLE, KEY_EXPOSED, KEY_INVALID, KEY_DIFFERENT, KEY_UNSUPPORTED, KEY_EXPIRED,
 * KEY_REVOKED, KEY_CANNOT_SIGN, PASSPHRASE_MISSING, PASSPHRASE_WRONG
 */
export function openSigner(key: KeyConfig, context: Context): Promise<Signer> {
  return Promise.reject(new Error(`not written yet: ${key.name} ${String(context.signal.aborted)}`))
}
