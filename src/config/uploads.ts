import { resolve } from 'node:path'
import * as z from 'zod'
import { describe, path, sshHost, sshHostKey } from './fields.js'

export const upload = z
  .strictObject({
    host: sshHost.describe('The web host.'),
    port: describe(z.int().min(1).max(65_535).default(22), 'Port of its SSH server. Default: 22.'),
    user: z
      .string()
      .regex(/^[A-Za-z0-9_][A-Za-z0-9._@+-]{0,127}$/, 'write the name of a user')
      .describe('User there.'),
    directory: z
      .string()
      .regex(/^\/([^\0]*[^/\0])?$/, 'write an absolute path, without a slash at its end')
      .describe('Directory there that its web server serves: the tree lies in it under its own name.'),
    'key-file': describe(
      path.optional(),
      'File with the SSH key. TREESWAP_SSH_KEY of the environment goes first. Default: the SSH agent.',
    ),
    'host-key': sshHostKey.optional().describe('Its host key, as in /etc/ssh/ssh_host_ed25519_key.pub.'),
    'host-fingerprint': z
      .string()
      .regex(/^SHA256:[A-Za-z0-9+/]{43}$/, 'write it as `ssh-keygen -l` prints it: SHA256:…')
      .optional()
      .describe('Fingerprint of its host key, instead of the key.'),
    'known-hosts': describe(path.optional(), 'File in the format of known_hosts that has its key, instead of the key.'),
    symlinks: describe(
      z.boolean().default(false),
      'Whether the host serves through symbolic links: then a pointer is swapped. Default: false.',
    ),
  })
  .refine(
    (one) =>
      [one['host-key'], one['host-fingerprint'], one['known-hosts']].filter((value) => value !== undefined).length ===
      1,
    { error: 'say in exactly one way which host key is its own: host-key, host-fingerprint or known-hosts' },
  )
  .describe('A web host to which trees are uploaded by SFTP.')

/** A plain web host. */
export interface UploadConfig {
  name: string
  host: string
  port: number
  user: string
  /** absolute, `/` where sshd locks the user into it; the tree lies in it under its own name */
  directory: string
  /** absolute; the file that the environment names goes first; undefined: the SSH agent */
  keyFile: string | undefined
  trusted: HostTrust
  symlinks: boolean
}

export type HostTrust =
  /** type and key, no comment */
  | { hostKey: string }
  /** `SHA256:…` */
  | { fingerprint: string }
  /** absolute path */
  | { knownHosts: string }

/** @param base directory at which relative paths start */
export function resolveUpload(written: z.infer<typeof upload>, name: string, base: string): UploadConfig {
  const { host, port, user, directory, symlinks, 'key-file': keyFile } = written
  return {
    name,
    host,
    port,
    user,
    directory,
    symlinks,
    keyFile: keyFile && resolve(base, keyFile),
    trusted: trust(written, base),
  }
}

function trust(written: z.infer<typeof upload>, base: string): HostTrust {
  const { 'host-key': hostKey, 'host-fingerprint': fingerprint, 'known-hosts': knownHosts = '' } = written
  if (hostKey !== undefined) return { hostKey }
  if (fingerprint !== undefined) return { fingerprint }
  return { knownHosts: resolve(base, knownHosts) }
}
