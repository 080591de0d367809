import type { KeyConfig } from '../config/keys.js'
import { readPublicKey } from './key-file.js'
import { openpgp } from './openpgp.js'
import { revoked } from './signing-keys.js'

/** Public keys as clients import them. */
export interface PublicKeys {
  /** armored, all in one, by fingerprint */
  text: string
  /** time of the newest thing in them */
  changed: Date
  /** of their parts: keys, names, signatures */
  packets: number
}

/**
 * Reads keys from their public files.
 * @throws KEY_UNREADABLE, KEY_INVALID, KEY_DIFFERENT; KEY_REVOKED for one that is to be trusted: gpg refuses to
 */
export async function publicKeys(trusted: readonly KeyConfig[], others: readonly KeyConfig[]): Promise<PublicKeys> {
  const { armor, enums, SignaturePacket } = await openpgp()
  const all = [...trusted, ...others].sort((a, b) => (a.fingerprint < b.fingerprint ? -1 : 1))
  const bytes: Uint8Array[] = []
  const changes: number[] = []
  let packets = 0
  for (const config of all) {
    const key = await readPublicKey(config)
    if (trusted.includes(config) && (await key.isRevoked())) throw revoked(config)
    const list = key.toPacketList()
    packets += list.length
    changes.push(key.getCreationTime().getTime())
    for (const packet of list) {
      if (packet instanceof SignaturePacket) changes.push(packet.created?.getTime() ?? 0)
    }
    bytes.push(list.write())
  }
  return {
    text: armor(enums.armor.publicKey, Buffer.concat(bytes), undefined, undefined, undefined, true),
    changed: new Date(Math.max(0, ...changes)),
    packets,
  }
}
