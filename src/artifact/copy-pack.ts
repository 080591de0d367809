import type { Pack } from '../model/build.js'
import type { Context } from '../model/report.js'
import type { ArtifactSource, Item } from './source.js'

/** A pack in an artifact that another build takes over byte for byte. */
export interface PackPlace {
  source: ArtifactSource
  item: Item
  number: number
  pack: Pack
}

/**
 * Brings a pack file and its manifest into another artifact directory, verified; hard links where they are possible.
 * @throws PACK_DAMAGED, FILE_MISSING, DISK, ABORTED
 */
export function copyPack(_place: PackPlace, _output: string, _context: Context): Promise<void> {
  throw new Error('not yet')
}
