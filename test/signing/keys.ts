import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateKey, readKey, readPrivateKey } from 'openpgp'
import type { Key, PrivateKey } from 'openpgp'
import type { KeyConfig } from '../../src/config/keys.js'

const DAY = 86_400_000

export interface MadeKey {
  config: KeyConfig
  publicKey: Key
  secretKey: PrivateKey
}

export interface KeyWishes {
  passphrase?: string
  subkeys?: { sign: true }[]
  name?: string
  type?: 'ecc' | 'rsa' | 'p256' | 'curve25519'
  /** days before today on which it was made; default 10 */
  age?: number
  /** days that it is good for, from then on */
  days?: number
}

/** Makes a key and its files below `directory`; the secret one is for its owner alone. */
export async function makeKey(directory: string, wishes: KeyWishes = {}): Promise<MadeKey> {
  const { name = 'main', type = 'ecc', age = 10, days, passphrase, subkeys } = wishes
  const { privateKey, publicKey } = await generateKey({
    userIDs: [{ name, email: `${name}@example.org` }],
    ...(type === 'p256' ? { type: 'ecc' as const, curve: 'nistP256' as const } : { type, rsaBits: 2048 }),
    date: new Date(Date.now() - age * DAY),
    ...(days !== undefined && { keyExpirationTime: days * 86_400 }),
    ...(passphrase !== undefined && { passphrase }),
    ...(subkeys !== undefined && { subkeys }),
    format: 'armored',
  })
  return await keyOf(directory, name, publicKey, privateKey)
}

async function keyOf(directory: string, name: string, publicText: string, secretText: string): Promise<MadeKey> {
  const publicKey = await readKey({ armoredKey: publicText })
  const secretKey = await readPrivateKey({ armoredKey: secretText })
  mkdirSync(directory, { recursive: true })
  const config: KeyConfig = {
    name,
    fingerprint: publicKey.getFingerprint().toUpperCase(),
    publicFile: join(directory, `${name}.asc`),
    secretFile: join(directory, `${name}.secret.asc`),
    passphraseFile: undefined,
    gpg: undefined,
  }
  writeFileSync(config.publicFile, publicText)
  writeSecret(config.secretFile!, secretText)
  return { config, publicKey, secretKey }
}

export function writeSecret(path: string, text: string): void {
  writeFileSync(path, text)
  chmodSync(path, 0o600)
}
