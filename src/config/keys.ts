import { resolve } from 'node:path'
import * as z from 'zod'
import { describe, path } from './fields.js'
import { credentialsId } from './jenkins-schema.js'

export const key = z
  .strictObject({
    fingerprint: z
      .string()
      .regex(/^[0-9A-Fa-f]{40}$/, 'write all 40 hexadecimal digits of its fingerprint, without spaces')
      .describe('Fingerprint of its primary key.'),
    public: path.describe('File with the public key, armored: what clients get.'),
    secret: describe(
      path.optional(),
      'File with the secret key, armored, on the host that signs. TREESWAP_SIGNING_KEY of the environment goes first.',
    ),
    'passphrase-file': describe(
      path.optional(),
      'File with its passphrase, and nothing else. TREESWAP_SIGNING_PASSPHRASE of the environment goes first.',
    ),
    credentials: describe(
      credentialsId.optional(),
      'Jenkins id of a secret file with the secret key: the jobs that publish get it. Default: none.',
    ),
    'passphrase-credentials': describe(
      credentialsId.optional(),
      'Jenkins id of a secret text with its passphrase. Default: none.',
    ),
    gpg: describe(
      z.union([z.boolean(), path]).optional(),
      "Sign with gpg and its agent (keys on cards): true, or gpg's home directory.",
    ),
  })
  .refine((one) => one.secret === undefined || one.gpg === undefined || one.gpg === false, {
    path: ['gpg'],
    error: 'secret and gpg exclude each other: keep the one that signs',
  })
  .refine((one) => one['passphrase-credentials'] === undefined || one.credentials !== undefined, {
    path: ['passphrase-credentials'],
    error: 'it belongs to credentials: name the secret file, too',
  })
  .describe('An OpenPGP key.')

/** An OpenPGP key: what signs, or what clients trust. */
export interface KeyConfig {
  name: string
  /** of the primary key: 40 upper-case hexadecimal digits */
  fingerprint: string
  /** absolute, armored */
  publicFile: string
  /** absolute, armored; the file that the environment names goes first */
  secretFile: string | undefined
  passphraseFile: string | undefined
  /** Jenkins ids of the secret key, and of its passphrase */
  credentials?: string
  passphraseCredentials?: string
  /** gpg signs: its home directory, null for the user's own */
  gpg: { home: string | null } | undefined
}

/** What clients know of a key. */
export type PublicKeyConfig = Pick<KeyConfig, 'name' | 'fingerprint' | 'publicFile'>

/** @param base directory at which relative paths start */
export function resolveKey(written: z.infer<typeof key>, name: string, base: string): KeyConfig {
  const { gpg, secret, 'passphrase-file': passphrase, credentials, 'passphrase-credentials': unlocking } = written
  return {
    name,
    fingerprint: written.fingerprint.toUpperCase(),
    publicFile: resolve(base, written.public),
    secretFile: secret && resolve(base, secret),
    passphraseFile: passphrase && resolve(base, passphrase),
    ...(credentials !== undefined && { credentials }),
    ...(unlocking !== undefined && { passphraseCredentials: unlocking }),
    gpg: gpg === undefined || gpg === false ? undefined : { home: gpg === true ? null : resolve(base, gpg) },
  }
}
