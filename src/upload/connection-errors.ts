import type { UploadConfig } from '../config/uploads.js'
import { configurationError, infrastructureError, TreeswapError } from '../model/errors.js'
import { aborted } from '../system/process.js'
import { optionOf } from './host-trust.js'

/**
 * What kept a login from succeeding.
 * @returns undefined where the host has no key of the kind that was asked for
 */
export function explainConnect(error: unknown, config: UploadConfig, signal: AbortSignal): Error | undefined {
  if (signal.aborted) return aborted(`the upload to ${config.host}`)
  if (error instanceof TreeswapError) return error
  const message = error instanceof Error ? error.message : String(error)
  if (message.includes('no matching host key')) return undefined
  if (message.includes('privateKey')) return unusableKey(message, error)
  if (message.includes('agent') && levelOf(error) !== 'client-authentication') return agentAway(config, error)
  if (levelOf(error) === 'client-authentication') return refused(config, error)
  if (/subsystem|Packet length|Expected VERSION/.test(message)) return noSftp(config, message, error)
  return infrastructureError(
    'UPLOAD_UNREACHABLE',
    `${config.host} port ${config.port} cannot be reached by SSH: ${message}`,
    'see that its SSH server runs, that no firewall is between, and what it logs (journalctl -u ssh)',
    error,
  )
}

/** @param shown fingerprints of the keys that the host showed */
export function wrongHostKey({ name, host, trusted }: UploadConfig, shown: readonly string[]): Error {
  return configurationError(
    'UPLOAD_HOST_KEY',
    shown.length === 0
      ? `${host} has no host key of the configured type: nothing was sent`
      : `${host} shows the host key ${shown.join(', ')}, which is not the one that is trusted: nothing was sent`,
    `compare uploads.${name} (${optionOf(trusted)}) with /etc/ssh/ssh_host_ed25519_key.pub on that host, read there and not over the network`,
  )
}

/** What is there is whole: old or new. */
export function connectionLost({ host }: UploadConfig, cause?: unknown): TreeswapError {
  if (cause instanceof TreeswapError) return cause
  const why = cause instanceof Error ? `: ${cause.message}` : ''
  return lost(`the connection to ${host} broke off${why}`, cause)
}

export function noAnswer({ host }: UploadConfig, silence: number): TreeswapError {
  return lost(`${host} has not answered for ${Math.round(silence / 1000)} seconds`)
}

/** Whether going on over a new connection may help. */
export function isConnectionTrouble(error: unknown): error is TreeswapError {
  return error instanceof TreeswapError && ['UPLOAD_LOST', 'UPLOAD_UNREACHABLE'].includes(error.code)
}

function lost(message: string, cause?: unknown): TreeswapError {
  return infrastructureError(
    'UPLOAD_LOST',
    message,
    'what clients find there works: run `treeswap upload` again, it sends only what is missing',
    cause,
  )
}

function unusableKey(message: string, cause: unknown): Error {
  if (/passphrase|ncrypted/.test(message)) {
    return configurationError(
      'UPLOAD_KEY_PASSPHRASE',
      'the private key has a passphrase, and nobody is there to type it',
      'give a key of its own without one (ssh-keygen -t ed25519 -N ""), or add this one to an SSH agent and name no key file',
      cause,
    )
  }
  return configurationError(
    'UPLOAD_KEY_INVALID',
    'the private key cannot be read',
    'give a private key as ssh-keygen -t ed25519 writes it',
    cause,
  )
}

function agentAway({ name }: UploadConfig, cause: unknown): Error {
  return configurationError(
    'UPLOAD_KEY_MISSING',
    `there is no SSH agent where SSH_AUTH_SOCK says, and uploads.${name} names no key`,
    `start one (ssh-agent, ssh-add), or name a key file in TREESWAP_SSH_KEY or in uploads.${name}.key-file`,
    cause,
  )
}

function refused({ host, user, name }: UploadConfig, cause: unknown): Error {
  return configurationError(
    'UPLOAD_KEY_REFUSED',
    `${host} does not let ${user} in with this key`,
    `see that uploads.${name}.user is right, and that the public key is in the authorized_keys of that user (sshd logs why: journalctl -u ssh)`,
    cause,
  )
}

function noSftp({ host, user }: UploadConfig, message: string, cause: unknown): Error {
  return configurationError(
    'UPLOAD_NO_SFTP',
    `${host} lets ${user} in, but does not speak SFTP: ${message}`,
    'give sshd_config there the line "Subsystem sftp internal-sftp", and see that the start files of the shell print nothing',
    cause,
  )
}

function levelOf(error: unknown): unknown {
  return error instanceof Error && 'level' in error ? error.level : undefined
}
