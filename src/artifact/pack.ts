import type { Pack, Role } from '../model/build.js'
import type { FileEntry, Manifest } from '../model/manifest.js'
import type { Context } from '../model/report.js'

/** A build whose files may be named instead of packed. */
export interface PackBase {
  number: number
  /** of its pack of the same name */
  manifest: Manifest
  /** whether the build still lies where this artifact will be read from; where one origin does not, all is packed */
  originExists?: (number: number) => Promise<boolean>
}

export interface PackRequest {
  name: string
  role: Role
  /** what is packed; it is only read */
  directory: string
  /** directory that gets NAME.tar[.zst] and NAME.manifest.zst */
  output: string
  /** role packages only: files that it has with the same path and content are listed with their origin */
  base?: PackBase
  /** files of earlier builds that `directory` lacks but the pack's manifest lists; each with an origin */
  inherited?: readonly FileEntry[]
}

/**
 * Packs a directory: same content, same bytes, whatever the times, owners, modes and order on disk.
 * @throws PACK_INPUT, ARCHIVE_REFUSED, ORIGIN_MISSING, DISK, ABORTED
 */
export function packDirectory(_request: PackRequest, _context: Context): Promise<{ pack: Pack; manifest: Manifest }> {
  throw new Error('not yet')
}
