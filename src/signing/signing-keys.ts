import type { PublicKeyConfig } from '../config/keys.js'
import { configurationError } from '../model/errors.js'
import { openpgp } from './openpgp.js'
import type { Key } from './openpgp.js'

/** A key or subkey whose signatures clients accept. */
export interface SigningKey {
  /** 40 upper-case hexadecimal digits */
  fingerprint: string
  packet: Key['keyPacket'] | Key['subkeys'][number]['keyPacket']
  /** undefined: never; not after its primary key */
  expires: Date | undefined
  /** from when on it has been what it is; every signature bears this time, so that equal content gives equal ones */
  since: Date
}

/**
 * Those of a key that may sign, as its public file has it: what clients know decides.
 * @returns at least one, the best first
 * @throws KEY_REVOKED, KEY_EXPIRED, KEY_UNSUPPORTED, KEY_CANNOT_SIGN
 */
export async function signingKeys(key: Key, config: PublicKeyConfig, at: Date): Promise<SigningKey[]> {
  if (await key.isRevoked(undefined, undefined, at)) throw revoked(config)
  const expires = await key.getExpirationTime()
  if (expires instanceof Date && expires <= at) throw expired(config, expires)
  const found: SigningKey[] = []
  const refused: unknown[] = []
  for (const one of [key, ...key.subkeys]) {
    try {
      const signs = await key.getSigningKey(one.getKeyID(), at)
      const binding = 'mainKey' in signs ? await signs.verify(at) : undefined
      const { selfCertification: self } = await key.getPrimaryUser(at)
      found.push({
        fingerprint: signs.getFingerprint().toUpperCase(),
        packet: signs.keyPacket,
        expires: earliest([expires, binding && (await one.getExpirationTime(at))]),
        since: latest([key.getCreationTime(), signs.getCreationTime(), self.created, binding?.created]),
      })
    } catch (error) {
      refused.push(error)
    }
  }
  const known = await algorithms()
  const usable = found.filter(({ packet }) => packet.version === 4 && known.has(packet.algorithm))
  if (usable.length > 0) return usable.sort(bySuitability(config.fingerprint))
  if (found.length > 0) throw unsupported(config)
  const ended = await newestEnd(key)
  throw ended !== undefined && ended <= at ? subkeyExpired(config, ended) : cannotSign(config, refused[0])
}

/** When the subkey that signs longest ceases to; undefined where none ever signed, was revoked, or does so for ever. */
async function newestEnd(key: Key): Promise<Date | undefined> {
  const ends: number[] = []
  for (const subkey of key.subkeys) {
    const signs = subkey.bindingSignatures.some(({ keyFlags }) => ((keyFlags?.[0] ?? 0) & SIGNS) !== 0)
    if (!signs || subkey.revocationSignatures.length > 0) continue
    const end = await subkey.getExpirationTime()
    if (end instanceof Date) ends.push(end.getTime())
  }
  return ends.length === 0 ? undefined : new Date(Math.max(...ends))
}

/** Key flag "may sign data" (RFC 9580, section 5.2.3.29). */
const SIGNS = 0x02

/** As gpg chooses: a subkey before the primary key, which may lie in a safe; the newest one first. */
function bySuitability(primary: string): (a: SigningKey, b: SigningKey) => number {
  const rank = ({ fingerprint }: SigningKey): number => (fingerprint === primary ? 1 : 0)
  return (a, b) => rank(a) - rank(b) || b.since.getTime() - a.since.getTime()
}

/** Those that gpg 2.2 knows, too. */
async function algorithms(): Promise<Set<number>> {
  const { enums } = await openpgp()
  const { rsaEncryptSign, rsaSign, ecdsa, eddsaLegacy } = enums.publicKey
  return new Set([rsaEncryptSign, rsaSign, ecdsa, eddsaLegacy])
}

function earliest(times: readonly unknown[]): Date | undefined {
  const dates = times.filter((time) => time instanceof Date).map((time) => time.getTime())
  return dates.length === 0 ? undefined : new Date(Math.min(...dates))
}

function latest(times: readonly (Date | null | undefined)[]): Date {
  return new Date(Math.max(...times.map((time) => time?.getTime() ?? 0)))
}

export function revoked({ name, fingerprint }: PublicKeyConfig): Error {
  return configurationError(
    'KEY_REVOKED',
    `the key ${name} (${fingerprint}) is revoked: no client accepts what it signs`,
    `sign with another key, and name ${name} where the keys are that clients no longer trust (revoke)`,
  )
}

function expired({ name, fingerprint, publicFile }: PublicKeyConfig, on: Date): Error {
  return configurationError(
    'KEY_EXPIRED',
    `the key ${name} (${fingerprint}) expired on ${day(on)}: clients refuse what it signs and signed`,
    `renew it (gpg --quick-set-expire ${fingerprint} 2y; with '*' behind it for its subkeys), write its public key to ${publicFile} anew, and publish: clients need the new one`,
  )
}

function subkeyExpired({ name, fingerprint, publicFile }: PublicKeyConfig, on: Date): Error {
  return configurationError(
    'KEY_EXPIRED',
    `what signs of the key ${name} (${fingerprint}), a subkey, expired on ${day(on)}: clients refuse what it signs and signed`,
    `renew it (gpg --quick-set-expire ${fingerprint} 2y '*'), or add another (gpg --quick-add-key ${fingerprint} ed25519 sign 2y); write its public key to ${publicFile} anew, and publish: clients need the new one`,
  )
}

function unsupported({ name, fingerprint }: PublicKeyConfig): Error {
  return configurationError(
    'KEY_UNSUPPORTED',
    `the key ${name} (${fingerprint}) is of a kind that clients' gpg does not know`,
    'use one that gpg makes by default: Ed25519 or RSA of 3072 bits and more, as OpenPGP version 4',
  )
}

function cannotSign({ name, fingerprint, publicFile }: PublicKeyConfig, cause: unknown): Error {
  return configurationError(
    'KEY_CANNOT_SIGN',
    `nothing in the key ${name} (${fingerprint}) may sign: ${cause instanceof Error ? cause.message : 'no part of it is for signing'}`,
    `give it a subkey for signing (gpg --quick-add-key ${fingerprint} ed25519 sign 2y) and write its public key to ${publicFile} anew`,
    cause,
  )
}

/** As people write it: 2027-01-31. */
export function day(date: Date): string {
  return date.toISOString().slice(0, 10)
}
