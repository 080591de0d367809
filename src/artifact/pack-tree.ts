import type { Build, Input } from '../model/build.js'
import type { FileEntry } from '../model/manifest.js'
import type { Context } from '../model/report.js'
import type { PackPlace } from './copy-pack.js'
import type { PackBase } from './pack.js'

export interface TreeRequest {
  /** holds etc-portage/, binpkgs/ with Packages, repos/NAME/ and, if there is one, var-lib-portage/ */
  directory: string
  tree: string
  number: number
  /** the artifact directory to make */
  output: string
  /** ebuild repos to take over from their own artifacts, beside those in repos/ */
  repoPacks?: readonly PackPlace[]
  /** build whose packages need not be packed again: the manifest of its packages pack */
  base?: PackBase
  /** packages of earlier builds that binpkgs/ lacks; each with an origin */
  inherited?: readonly FileEntry[]
  inputs?: readonly Input[]
  /** program → version */
  tools?: Readonly<Record<string, string>>
  /** ISO 8601, UTC; default: now */
  started?: string
  /** a log file to keep, compressed, in the artifact */
  log?: string
}

/**
 * Packs a machine's parts into an artifact.
 * @throws PROFILE_MISSING, REPOS_MISSING, REPO_NAME_MISSING, REPO_NAME_DIFFERENT, PACKAGES_BROKEN, ARTIFACT_EXISTS,
 * what packDirectory and copyPack throw
 */
export function packTree(_request: TreeRequest, _context: Context): Promise<Build> {
  throw new Error('not yet')
}
