import type * as Library from 'openpgp'

export type { Key, PrivateKey } from 'openpgp'
export type SecretPacket = Library.SecretKeyPacket | Library.SecretSubkeyPacket

/** The library, read when it is first needed: most commands do without. */
export async function openpgp(): Promise<typeof Library> {
  return await import('openpgp')
}

/** Without salt, equal content gives equal signatures (with Ed25519 and RSA keys). */
export async function settings(): Promise<Library.Config> {
  const { config } = await openpgp()
  return { ...config, nonDeterministicSignaturesViaNotation: false }
}

/** A binary signature as text. */
export async function armored(signature: Uint8Array): Promise<string> {
  const { armor, enums } = await openpgp()
  return armor(enums.armor.signature, signature, undefined, undefined, undefined, true)
}
