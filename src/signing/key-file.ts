import type { PublicKeyConfig } from '../config/keys.js'
import { configurationError, TreeswapError } from '../model/errors.js'
import { errorCode } from '../system/files.js'
import { readSmallFile } from '../system/private-file.js'
import { readKeysOf, readPrivateKeysOf } from './key-blocks.js'
import type { Key, PrivateKey } from './openpgp.js'

/** What a key's file is at most, in bytes: those with many signatures have some 100 KiB. */
const LARGEST = 4 * 2 ** 20

/**
 * The public key that clients get.
 * @throws KEY_UNREADABLE, KEY_INVALID (also where the file holds a secret key), KEY_DIFFERENT
 */
export async function readPublicKey({ name, fingerprint, publicFile }: PublicKeyConfig): Promise<Key> {
  const bytes = readKeyFile(publicFile)
  const keys = await parsing(publicFile, () => readKeysOf(bytes))
  if (keys.some((key) => key.isPrivate())) {
    throw configurationError(
      'KEY_INVALID',
      `${publicFile} holds a secret key, and everybody would get it`,
      `keep it to yourself, and write the public one there: gpg --armor --export ${fingerprint}`,
    )
  }
  return named(keys, fingerprint, `keys.${name}.public (${publicFile})`)
}

/** @throws KEY_UNREADABLE, KEY_EXPOSED, KEY_INVALID, KEY_DIFFERENT */
export async function readSecretKey(path: string, fingerprint: string): Promise<PrivateKey> {
  const bytes = readSecretFile(path)
  const keys = await parsing(path, () => readPrivateKeysOf(bytes))
  return named(keys, fingerprint, path)
}

/** @throws KEY_UNREADABLE, KEY_EXPOSED */
export function readSecretFile(path: string): Buffer {
  const { bytes, mode } = reading(path)
  if ((mode & 0o007) === 0) return bytes
  throw configurationError(
    'KEY_EXPOSED',
    `everybody on this host may ${(mode & 0o004) === 0 ? 'change' : 'read'} ${path}`,
    `chmod 600 ${path}; if others may have read it, revoke the key`,
  )
}

function readKeyFile(path: string): Buffer {
  return reading(path).bytes
}

function reading(path: string): { bytes: Buffer; mode: number } {
  try {
    return readSmallFile(path, LARGEST)
  } catch (cause) {
    throw configurationError(
      'KEY_UNREADABLE',
      `${path} cannot be read: ${unreadable[errorCode(cause) ?? ''] ?? (cause instanceof Error ? cause.message : String(cause))}`,
      'see that it is a file that this user may read, and that `keys` in the configuration names the right one',
      cause,
    )
  }
}

const unreadable: Record<string, string> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EACCES: 'this user may not',
}

async function parsing<T>(path: string, parse: () => Promise<T[]>): Promise<T[]> {
  try {
    return await parse()
  } catch (error) {
    if (error instanceof TreeswapError) throw error
    // what the library says may quote the file
    throw configurationError(
      'KEY_INVALID',
      `${path} holds no OpenPGP key of the kind that is wanted`,
      'gpg --armor --export FINGERPRINT writes a public key, --export-secret-keys a secret one',
    )
  }
}

function named<T extends Key>(keys: readonly T[], fingerprint: string, where: string): T {
  const key = keys.find((one) => one.getFingerprint().toUpperCase() === fingerprint)
  if (key !== undefined) return key
  throw configurationError(
    'KEY_DIFFERENT',
    `${where} holds ${keys.map((one) => one.getFingerprint().toUpperCase()).join(', ') || 'no key'}, not ${fingerprint}`,
    'name the file with that key, or the fingerprint of its primary key',
  )
}
