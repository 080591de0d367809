import type { Pack } from '../model/build.js'
import type { Manifest } from '../model/manifest.js'

/**
 * @param file path of a manifest file
 * @throws PACK_DAMAGED when size or sha256 are not those of `pack.manifest`, MANIFEST_INVALID
 */
export function readManifest(_file: string, _pack: Pack): Promise<Manifest> {
  throw new Error('not yet')
}

/** Writes a manifest file (zstd), which must not be there yet; what build.json says about it. */
export function writeManifest(_file: string, _manifest: Manifest): Promise<Pack['manifest']> {
  throw new Error('not yet')
}
