import { join } from 'node:path'
import { sha256OfFile } from '../system/hash.js'
import type { LocalFile } from './local-files.js'
import type { UploadedFile } from './manifest.js'
import type { RemoteStatus } from './remote.js'

/**
 * Whether a host has a file as it is here. Size and time tell: objects have their time from their content, index files
 * a later one whenever they are made. Where a host gives files times of its own, or a file was made anew here, the
 * manifest says which content it was given.
 * @param directory here, absolute
 * @returns what the manifest is to say; undefined: it has to be sent
 */
export async function alreadyThere(
  directory: string,
  local: LocalFile,
  remote: RemoteStatus | undefined,
  known: UploadedFile | undefined,
): Promise<UploadedFile | undefined> {
  if (remote?.kind !== 'file' || remote.size !== local.size) return undefined
  const brought = known?.size === remote.size && known.remoteMtime === remote.mtime ? known : undefined
  if (brought?.mtime === local.mtime) return brought
  if (brought === undefined && remote.mtime !== local.mtime) return undefined
  const sha256 = await sha256OfFile(join(directory, local.path))
  if (brought !== undefined && brought.sha256 !== sha256) return undefined
  return { size: local.size, sha256, mtime: local.mtime, remoteMtime: remote.mtime }
}
