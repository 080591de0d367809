import type { FileRecord, Pack } from '../model/build.js'
import type { Context } from '../model/report.js'
import { explainDiskError, linkOrCopy, makeDirectory, readStream, realPath, removeTree } from '../system/files.js'
import { CheckedInput } from './checked-input.js'
import { artifactFile } from './place.js'
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
 * The same pack on this host: `directory` gets what is not, verified. For those who need it again hours later, when a
 * remote source may have forgotten that build.
 * @throws what copyPack throws
 */
export async function holdPack(place: PackPlace, directory: string, context: Context): Promise<PackPlace> {
  const { source } = place
  if (source.path !== undefined) return place
  makeDirectory(directory)
  await copyPack(place, directory, context)
  const path = (file: string): string => `${directory}/${artifactFile(file)}`
  const held: ArtifactSource = {
    description: source.description,
    numbers: (item) => source.numbers(item),
    readBuild: (item, number) => source.readBuild(item, number),
    open: (_item, _number, file) => Promise.resolve(readStream(path(file), { highWaterMark: 2 ** 18 })),
    path: (_item, _number, file) => path(file),
  }
  return { ...place, source: held }
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
