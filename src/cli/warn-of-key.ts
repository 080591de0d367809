import type { KeyConfig } from '../config/keys.js'
import { TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { acceptedKeys } from '../signing/accepted-keys.js'
import { expiresSoon, renewal } from '../signing/expiry.js'

/** Says of a key that clients are to trust what makes it useless to them, now or soon. */
export async function warnOfKey(key: KeyConfig, { report }: Context): Promise<void> {
  try {
    const soon = expiresSoon((await acceptedKeys(key)).expires)
    if (soon !== undefined) report.warn(`the key ${key.name} (${key.fingerprint}) ${soon}: ${renewal(key)}`)
  } catch (error) {
    if (!(error instanceof TreeswapError) || error.category === 'aborted') throw error
    report.warn(`${error.message} [${error.code}]: ${error.hint}`)
  }
}
