import type { KeyConfig } from '../config/keys.js'
import { configurationError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { now } from '../system/clock.js'
import { outlivedBy } from './accepted-keys.js'
import type { Backend } from './backend.js'
import { expiresSoon, renewal } from './expiry.js'
import { fileBackend } from './file-backend.js'
import { gpgBackend } from './gpg-backend.js'
import { readPublicKey } from './key-file.js'
import { secretFileOf } from './secret-file.js'
import type { Signer } from './signer.js'
import { signingKeys } from './signing-keys.js'
import type { SigningKey } from './signing-keys.js'
import { verifyClear, verifyDetached } from './verify.js'

/**
 * The signer of a key: from the file that TREESWAP_SIGNING_KEY names where that is of this key, else from the configured
 * one, else gpg.
 * Warns of a key that expires within 30 days.
 * @throws SIGNING_KEY_MISSING, KEY_UNREADABLE, KEY_EXPOSED, KEY_INVALID, KEY_DIFFERENT, KEY_UNSUPPORTED, KEY_EXPIRED,
 * KEY_REVOKED, KEY_CANNOT_SIGN, PASSPHRASE_MISSING, PASSPHRASE_WRONG, PROGRAM_MISSING, ABORTED
 */
export async function openSigner(key: KeyConfig, context: Context): Promise<Signer> {
  const publicKey = await readPublicKey(key)
  const usable = await signingKeys(publicKey, key, new Date(now()))
  const backend = await openBackend(key, usable, context)
  const { by } = backend
  warnOfExpiry(key, by, context)
  return {
    fingerprint: key.fingerprint,
    expires: by.expires,
    publicKey: publicKey.write(),
    signingKey: by.fingerprint,
    lasts: (fingerprint) =>
      usable.some((one) => one.fingerprint === fingerprint) && outlivedBy(usable, fingerprint, by) === undefined,
    async detached(content) {
      const signature = await backend.detached(content)
      await verifyDetached(by, signature, content)
      return signature
    },
    async clear(text) {
      const signed = await backend.clear(text)
      await verifyClear(by, signed, text)
      return signed
    },
    verify: {
      detached: (signature, content) => verifyDetached(by, signature, content),
      clear: (signed, text) => verifyClear(by, signed, text),
    },
  }
}

async function openBackend(key: KeyConfig, usable: readonly SigningKey[], context: Context): Promise<Backend> {
  const file = await secretFileOf(key)
  if (file !== undefined) return await fileBackend(key, file, usable)
  if (key.gpg !== undefined) return await gpgBackend(key, key.gpg, usable, context)
  throw configurationError(
    'SIGNING_KEY_MISSING',
    `nothing says where the secret of the key ${key.name} is`,
    `name its file with TREESWAP_SIGNING_KEY in the environment, or as keys.${key.name}.secret, or let gpg sign (keys.${key.name}.gpg)`,
  )
}

function warnOfExpiry(key: KeyConfig, { expires }: SigningKey, { report }: Context): void {
  const soon = expiresSoon(expires)
  if (soon === undefined) return
  report.warn(
    `the key ${key.name} (${key.fingerprint}) ${soon}, and clients will refuse everything that it has signed: ${renewal(key)}`,
  )
}
