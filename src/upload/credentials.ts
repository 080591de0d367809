import type { UploadConfig } from '../config/uploads.js'
import { configurationError } from '../model/errors.js'
import { environment, sshKeyFile } from '../system/environment.js'
import { readTextIfThere, targetStatusOf } from '../system/files.js'

/** What a user logs in with: a private key, or an agent that has one. */
export type Credentials = { privateKey: string; authHandler: ['publickey'] } | { agent: string; authHandler: ['agent'] }

/**
 * The key in the file that the environment names, else the one of the configuration, else those of the SSH agent.
 * @throws UPLOAD_KEY_MISSING
 */
export function credentials({ name, keyFile: configured }: UploadConfig): Credentials {
  const keyFile = sshKeyFile() ?? configured
  if (keyFile !== undefined) return { privateKey: readKey(keyFile), authHandler: ['publickey'] }
  const agent = environment().SSH_AUTH_SOCK
  if (agent !== undefined && agent !== '') return { agent, authHandler: ['agent'] }
  throw configurationError(
    'UPLOAD_KEY_MISSING',
    `there is no SSH key for the upload to ${name}`,
    `name its file in TREESWAP_SSH_KEY or in uploads.${name}.key-file, or start an SSH agent`,
  )
}

function readKey(file: string): string {
  const text = targetStatusOf(file)?.isFile() ? readTextIfThere(file) : undefined
  if (text !== undefined) return text
  throw configurationError(
    'UPLOAD_KEY_MISSING',
    `there is no private key ${file}`,
    'name the right file in TREESWAP_SSH_KEY or as key-file of the upload',
  )
}
