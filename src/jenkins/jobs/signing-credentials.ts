import type { Config } from '../../config/config.js'
import { configurationError } from '../../model/errors.js'

/** Ids of the secret file with a key that signs, and of the secret text with its passphrase. */
export interface SigningCredentials {
  signing: string
  passphrase?: string
}

/**
 * What the jobs that publish a tree get, by tree; trees that are not signed, or whose publisher has the key, are left out.
 * @throws SIGNING_OVER_SSH
 */
export function signingCredentials({ machines, pacman, keys, jenkins }: Config): Map<string, SigningCredentials> {
  const found = new Map<string, SigningCredentials>()
  for (const { name, sign } of [...machines.values(), ...pacman.values()]) {
    const key = sign === undefined ? undefined : keys.get(sign)
    if (key?.credentials === undefined) continue
    if (jenkins?.publishOver !== undefined) throw overSsh(key.name)
    const { credentials: signing, passphraseCredentials: passphrase } = key
    found.set(name, { signing, ...(passphrase !== undefined && { passphrase }) })
  }
  return found
}

function overSsh(key: string): Error {
  return configurationError(
    'SIGNING_OVER_SSH',
    `keys.${key}.credentials names a key that Jenkins has, but with publish-over no job gives it to the publisher`,
    `keep the secret key on the publisher's host (keys.${key}.secret or gpg in its own treeswap.yaml), or publish on an agent`,
  )
}
