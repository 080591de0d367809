import type { PublishOver } from '../config/jenkins.js'
import { configurationError, infrastructureError, TreeswapError } from '../model/errors.js'

/**
 * What kept a connection from being made, told from what OpenSSH's client logged at LogLevel=VERBOSE; undefined where
 * it was made.
 */
export function explainSsh(log: string, { host, port, user }: PublishOver): TreeswapError | undefined {
  if (/^Authenticated to /m.test(log)) return undefined
  if (/Host key verification failed|no matching host key type found/.test(log)) {
    return configurationError(
      'SSH_HOST_KEY',
      `${host} shows another host key than the pinned one: nothing was sent`,
      'compare jenkins.publish-over.host-key with /etc/ssh/ssh_host_ed25519_key.pub on the publisher, read there and not over the network',
    )
  }
  if (/Permission denied \(|Too many authentication failures/.test(log)) {
    const unread = /^(Load key .*|.*UNPROTECTED PRIVATE KEY.*|.*passphrase.*)$/m.exec(log)?.[1]
    return configurationError(
      'SSH_KEY_REFUSED',
      `${host} does not let ${user} in with this key${unread === undefined ? '' : `: ${unread}`}`,
      unread === undefined
        ? `see that the public key is in the authorized_keys of ${user} there and that the user may log in (sshd logs why: journalctl -u ssh)`
        : 'give a private key without a passphrase, in a file that only this user reads',
    )
  }
  return infrastructureError(
    'SSH_UNREACHABLE',
    `${host} port ${port} cannot be reached by SSH: ${lastLine(log)}`,
    'see that sshd runs there, and that no firewall is between',
  )
}

/** Whether nothing was sent, and trying again may help. */
export function isUnreached(error: unknown): error is TreeswapError {
  return error instanceof TreeswapError && error.code === 'SSH_UNREACHABLE'
}

/** The request may have been carried out. */
export function connectionLost({ host }: PublishOver, log: string): TreeswapError {
  return infrastructureError(
    'SSH_LOST',
    `the connection to ${host} broke off before it answered: ${lastLine(log)}`,
    'clients are served a whole build in any case; `treeswap status` there says which. Publishing the same build again is harmless',
  )
}

function lastLine(log: string): string {
  const lines = log.split(/\r?\n/).filter((line) => !/^(Transferred:|Bytes per second:|$)/.test(line))
  return lines.at(-1)?.trim() ?? 'ssh does not say why'
}
