import type { KeyConfig } from '../config/keys.js'
import { TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { expiresSoon, renewal } from '../signing/expiry.js'
import { openSigner } from '../signing/open-signer.js'
import { day } from '../signing/signing-keys.js'
import { fail, ok, warn } from './finding.js'
import type { Finding } from './finding.js'

/** Whether each key could sign here and now. */
export async function checkKeys(keys: readonly KeyConfig[], context: Context): Promise<Finding[]> {
  return await Promise.all(
    keys.map(async (key) => {
      const what = `key ${key.name}`
      try {
        const { expires } = await openSigner(key, context)
        const soon = expiresSoon(expires)
        if (soon !== undefined) return warn('publish', what, `can sign, ${soon}`, renewal(key))
        const until = expires === undefined ? 'does not expire' : `expires on ${day(expires)}`
        return ok('publish', what, `can sign, ${until}`)
      } catch (error) {
        if (!(error instanceof TreeswapError) || error.category === 'aborted') throw error
        return fail('publish', what, `${error.message} [${error.code}]`, error.hint)
      }
    }),
  )
}
