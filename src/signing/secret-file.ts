import type { KeyConfig } from '../config/keys.js'
import { configurationError, TreeswapError } from '../model/errors.js'
import { signingEnvironment } from '../system/environment.js'
import { readSecretFile, readSecretKey } from './key-file.js'
import type { PrivateKey } from './openpgp.js'

/** The secret of a key as it was in its file, and what opens it. */
export interface SecretFile {
  path: string
  key: PrivateKey
  passphrase: string | undefined
}

/**
 * The file that TREESWAP_SIGNING_KEY names where it holds this key, else the configured one: of trees with different
 * keys, the environment can have the key of one.
 * @returns undefined where there is no file for this key; gpg may have it
 * @throws KEY_UNREADABLE, KEY_EXPOSED, KEY_INVALID; KEY_DIFFERENT where the file is of another key, and nothing else has it
 */
export async function secretFileOf(key: KeyConfig): Promise<SecretFile | undefined> {
  const { keyFile, passphrase } = signingEnvironment()
  const { secretFile } = key
  if (keyFile === undefined) {
    return await configured(key, () => passphrase ?? passphraseOf(key))
  }
  try {
    const secret = await readSecretKey(keyFile, key.fingerprint)
    return { path: keyFile, key: secret, passphrase: passphrase ?? passphraseOf(key) }
  } catch (error) {
    const isOther = error instanceof TreeswapError && error.code === 'KEY_DIFFERENT'
    if (!isOther) throw error
    if (secretFile === undefined && key.gpg === undefined) throw different(key, error)
    // the passphrase of the environment is that of its key
    return await configured(key, () => passphraseOf(key) ?? passphrase)
  }
}

async function configured(
  { secretFile: path, fingerprint }: KeyConfig,
  passphrase: () => string | undefined,
): Promise<SecretFile | undefined> {
  if (path === undefined) return undefined
  return { path, key: await readSecretKey(path, fingerprint), passphrase: passphrase() }
}

/** Without the line break that editors put at the end of a file. */
function passphraseOf({ passphraseFile }: KeyConfig): string | undefined {
  return passphraseFile === undefined
    ? undefined
    : readSecretFile(passphraseFile)
        .toString()
        .replace(/\r?\n$/, '')
}

function different({ name }: KeyConfig, cause: TreeswapError): Error {
  return configurationError(
    'KEY_DIFFERENT',
    `the file of TREESWAP_SIGNING_KEY is not of the key ${name}: ${cause.message}`,
    `name the file with that key there (in Jenkins: the credential of this tree), or as keys.${name}.secret for a host that signs with several`,
    cause,
  )
}
