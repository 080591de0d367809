import type { UploadConfig } from '../config/uploads.js'
import { configurationError, publishError, TreeswapError } from '../model/errors.js'
import { connectionLost } from './connection-errors.js'

/** Codes of answers (draft-ietf-secsh-filexfer-02, 7). Everything else that can go wrong is a FAILURE. */
const NO_SUCH_FILE = 2
const PERMISSION_DENIED = 3
const OP_UNSUPPORTED = 8

/** What statvfs@openssh.com says. */
export interface FreeSpace {
  f_frsize?: unknown
  f_bavail?: unknown
  f_favail?: unknown
}

/**
 * A coded error for what a request was answered with.
 * @param doing what was to be done to the path: "write"
 * @param freeSpace asks the host, where it can tell
 */
export async function explainRemote(
  error: unknown,
  doing: string,
  path: string,
  config: UploadConfig,
  freeSpace: () => Promise<FreeSpace | undefined>,
): Promise<unknown> {
  if (error instanceof TreeswapError || isLocal(error)) return error
  const { name, host, user } = config
  if (isUnsupported(error)) return notAtomic(config, error)
  const code = answerCode(error)
  if (code === undefined) return connectionLost(config, error)
  const what = `${host}: ${path}: ${user} could not ${doing} it`
  if (code === PERMISSION_DENIED) {
    return configurationError(
      'UPLOAD_DENIED',
      `${what}: permission denied`,
      `give that directory to ${user} (chown), or name another one in uploads.${name}.directory`,
      error,
    )
  }
  if (code !== NO_SUCH_FILE && isUsedUp(await freeSpace())) {
    return publishError(
      'UPLOAD_DISK_FULL',
      `${what}: its disk is full`,
      'make room there, then run `treeswap upload` again: it goes on where this stopped',
      error,
    )
  }
  return publishError(
    'UPLOAD_FAILED',
    `${what}: ${error instanceof Error ? error.message : String(error)}`,
    "look at that path there: a quota, a read-only disk, a directory in a file's place; then run `treeswap upload` again",
    error,
  )
}

/** Another upload of the same tree, by another process or host: each would undo what the other does. */
export function disturbed(directory: string): TreeswapError {
  return publishError(
    'UPLOAD_DISTURBED',
    `somebody else uploads to ${directory} there at the same time`,
    'let a tree be uploaded from one publisher only; when the other upload has ended, run `treeswap upload` again',
  )
}

/** Whether the host answered, and said no. */
export function isAnswer(error: unknown): boolean {
  return answerCode(error) !== undefined
}

/** Whether the host lets nobody, or not this user, do that. */
export function isRefusal(error: unknown): boolean {
  const code = answerCode(error)
  return code === PERMISSION_DENIED || code === OP_UNSUPPORTED
}

export function isNotThere(error: unknown): boolean {
  return answerCode(error) === NO_SUCH_FILE
}

/** Whether the request is an extension that the host does not have; nothing was sent then. */
export function isUnsupported(error: unknown): boolean {
  return error instanceof Error && error.message.includes('does not support this extended request')
}

/** Of this host's own files: it has a code of the system. */
function isLocal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
}

function answerCode(error: unknown): number | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'number' ? error.code : undefined
}

function isUsedUp(space: FreeSpace | undefined): boolean {
  if (space === undefined) return false
  return Number(space.f_bavail) * Number(space.f_frsize) < 65_536 || Number(space.f_favail) === 0
}

function notAtomic({ host, name }: UploadConfig, cause: unknown): Error {
  return configurationError(
    'UPLOAD_NOT_ATOMIC',
    `${host} cannot replace a file in one step, so clients would meet a moment without a database: nothing was changed`,
    `use a host with OpenSSH's SFTP server (it offers posix-rename@openssh.com) for uploads.${name}`,
    cause,
  )
}
