import { ownCaller } from '../chroot/caller.js'
import type { UploadConfig } from '../config/uploads.js'
import { configurationError } from '../model/errors.js'
import { environment, sshKeyFile } from '../system/environment.js'
import { errorCode, readTextIfThere, targetStatusOf } from '../system/files.js'

/** What a user logs in with: a private key, or an agent that has one. */
export type Credentials = { privateKey: string; authHandler: ['publickey'] } | { agent: string; authHandler: ['agent'] }

type FileStatus = Pick<NonNullable<ReturnType<typeof targetStatusOf>>, 'uid' | 'mode'>

/**
 * The key in the file that the environment names, else the one of the configuration, else those of the SSH agent.
 * @throws UPLOAD_KEY_MISSING, UPLOAD_KEY_EXPOSED
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
  const { status, text } = lookAt(file)
  if (status !== undefined && text !== undefined) {
    if (isExposed(status) && text.includes('PRIVATE KEY')) throw exposed(file, status)
    return text
  }
  throw configurationError(
    'UPLOAD_KEY_MISSING',
    `there is no private key ${file}`,
    'name the right file in TREESWAP_SSH_KEY or as key-file of the upload',
  )
}

function lookAt(file: string): { status?: FileStatus | undefined; text?: string | undefined } {
  try {
    const status = targetStatusOf(file)
    return { status, text: status?.isFile() ? readTextIfThere(file) : undefined }
  } catch (error) {
    throw configurationError(
      'UPLOAD_KEY_MISSING',
      `the private key ${file} cannot be read (${errorCode(error) ?? String(error)})`,
      'give it to the user that treeswap runs as (chown), or name the right file',
      error,
    )
  }
}

/** As ssh has it: what belongs to another user may have been lent to this one's group. */
function isExposed({ uid, mode }: FileStatus): boolean {
  return uid === ownCaller().uid && (mode & 0o077) !== 0
}

function exposed(file: string, { mode }: FileStatus): Error {
  return configurationError(
    'UPLOAD_KEY_EXPOSED',
    `others than its owner may use the private key ${file} (its mode is ${(mode & 0o777).toString(8).padStart(4, '0')})`,
    `chmod 600 ${file}; if others may have read it, put a new key in its place, on the web host, too`,
  )
}
