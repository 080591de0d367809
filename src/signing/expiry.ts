import type { PublicKeyConfig } from '../config/keys.js'
import { now } from '../system/clock.js'
import { day } from './signing-keys.js'

const DAY = 86_400_000
/** Days before a key expires from which on it is warned of. */
const WARN_BEFORE = 30

/**
 * Says of a key that is about to expire when it does, and in how many days.
 * @returns undefined where there is time
 */
export function expiresSoon(expires: Date | undefined): string | undefined {
  if (expires === undefined) return undefined
  const left = (expires.getTime() - now()) / DAY
  if (left > WARN_BEFORE) return undefined
  const days = Math.floor(left)
  return `expires on ${day(expires)}, in ${days} ${days === 1 ? 'day' : 'days'}`
}

/** How a key gets more time, and how clients come to know. */
export function renewal({ fingerprint, publicFile }: PublicKeyConfig): string {
  return `renew it now (gpg --quick-set-expire ${fingerprint} 2y; with '*' behind it for its subkeys), write its public key to ${publicFile} anew, then \`treeswap run\`, before that day; clients of machines take it over by hand`
}
