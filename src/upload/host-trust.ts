import { createHash } from 'node:crypto'
import type { HostTrust, UploadConfig } from '../config/uploads.js'
import { configurationError } from '../model/errors.js'
import { errorCode, readTextIfThere } from '../system/files.js'
import { keyType, knownKeys } from './known-hosts.js'

/** How a web host proves that it is the one that was meant. */
export interface HostProof {
  /** algorithms to ask for, one list for each connection that is tried: a host shows one of its keys at a time */
  tries: string[][]
  /** @param key blob as it goes over the wire */
  accepts(key: Buffer): boolean
}

/**
 * Type of a key → algorithms with which a host proves to have it, in the order in which OpenSSH prefers them. SHA-1
 * (`ssh-rsa`) is none of them.
 */
const algorithms: Record<string, string[]> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
}

/** @throws UPLOAD_KNOWN_HOSTS */
export function hostProof({ host, port, trusted }: UploadConfig): HostProof {
  if ('hostKey' in trusted) {
    const key = Buffer.from(trusted.hostKey.split(' ')[1] ?? '', 'base64')
    return { tries: [algorithmsOf([key])], accepts: (shown) => shown.equals(key) }
  }
  if ('fingerprint' in trusted) {
    return { tries: Object.values(algorithms), accepts: (shown) => fingerprint(shown) === trusted.fingerprint }
  }
  const { accepted, revoked } = readKnownHosts(trusted.knownHosts, host, port)
  const isIn = (keys: readonly Buffer[], shown: Buffer): boolean => keys.some((key) => shown.equals(key))
  return { tries: [algorithmsOf(accepted)], accepts: (shown) => isIn(accepted, shown) && !isIn(revoked, shown) }
}

/** As `ssh-keygen -l` prints it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** How the configuration says which key is the host's own. */
export function optionOf(trusted: HostTrust): string {
  return 'hostKey' in trusted ? 'host-key' : 'fingerprint' in trusted ? 'host-fingerprint' : trusted.knownHosts
}

function readKnownHosts(file: string, host: string, port: number): ReturnType<typeof knownKeys> {
  const text = readKnown(file)
  const name = port === 22 ? host : `[${host}]:${port}`
  const known = knownKeys(text ?? '', host, port)
  if (algorithmsOf(known.accepted).length > 0) return known
  throw configurationError(
    'UPLOAD_KNOWN_HOSTS',
    text === undefined ? `there is no file ${file}` : `${file} has no key of ${name}`,
    `add a line "${name} TYPE KEY" with what /etc/ssh/ssh_host_ed25519_key.pub has on that host, read there and not over the network`,
  )
}

function readKnown(file: string): string | undefined {
  try {
    return readTextIfThere(file)
  } catch (error) {
    throw configurationError(
      'UPLOAD_KNOWN_HOSTS',
      `${file} cannot be read (${errorCode(error) ?? String(error)})`,
      'name a file in the format of known_hosts that the user may read whom treeswap runs as',
      error,
    )
  }
}

function algorithmsOf(keys: readonly Buffer[]): string[] {
  const types = new Set(keys.map(keyType))
  return Object.entries(algorithms).flatMap(([type, names]) => (types.has(type) ? names : []))
}
