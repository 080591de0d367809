import { readKeysOf } from './key-blocks.js'

/**
 * The keys of a keyring.
 * @param keyring armored or binary
 * @returns fingerprint of each primary key → those of it and of its subkeys; empty where it is no keyring
 */
export async function keyParts(keyring: Buffer): Promise<Map<string, ReadonlySet<string>>> {
  try {
    const keys = await readKeysOf(keyring)
    return new Map(keys.map((key) => [fingerprintOf(key), new Set([key, ...key.subkeys].map(fingerprintOf))]))
  } catch {
    return new Map()
  }
}

function fingerprintOf(key: { getFingerprint(): string }): string {
  return key.getFingerprint().toUpperCase()
}
