import type { FileRecord, Pack } from '../model/build.js'
import type { Context } from '../model/report.js'
import { explainDiskError, linkOrCopy, readStream, realPath, removeTree } from '../system/files.js'
import { CheckedInput } from './checked-input.js'
import { fetchFile } from './source.js'
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
export async function copyPack(place: PackPlace, output: string, context: Context): Promise<void> {
  const { source, item, number, pack } = place
  for (const record of [pack, pack.manifest]) {
    const target = `${output}/${record.file}`
    const local = source.path?.(item, number, record.file)
    if (local === undefined) await fetchFile(source, item, number, record, target, context)
    else await link(local, record, target, context)
  }
}

async function link(from: string, record: FileRecord, target: string, context: Context): Promise<void> {
  try {
    linkOrCopy(realPath(from), target)
    const checked = new CheckedInput(record, readStream(target), context)
    await checked.forEach(() => undefined)
    checked.check()
  } catch (error) {
    removeTree(target)
    throw explainDiskError(error, target)
  }
}
