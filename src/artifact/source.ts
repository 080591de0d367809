import type { Readable } from 'node:stream'
import type { Build, FileRecord, Pack } from '../model/build.js'
import { configurationError } from '../model/errors.js'
import type { Manifest } from '../model/manifest.js'
import type { Context } from '../model/report.js'
import { explainDiskError, removeTree, rename } from '../system/files.js'
import { CheckedInput } from './checked-input.js'
import { damaged } from './damage.js'
import { DirectorySource, openArtifactDirectory } from './directory-source.js'
import { HashedFile } from './hashed-file.js'
import { openManifest } from './manifest-file.js'
import { buildMissing } from './place.js'

/** What has numbered builds. */
export interface Item {
  /** tree: a machine or a pacman repo, which have one name space */
  kind: 'tree' | 'ebuild-repo'
  name: string
}

/** Where artifacts lie. Everything that comes from it is checked by its reader. */
export interface ArtifactSource {
  /** for messages: `dir:/srv/artifacts` */
  readonly description: string
  /** how many builds, the newest ones and failed ones counted, it keeps the files of; undefined: all, for ever */
  readonly keeps?: number | undefined
  /** complete builds, ascending; none where the item is not known */
  numbers(item: Item): Promise<number[]>
  /** @throws BUILD_MISSING, BUILD_INVALID, BUILD_TOO_NEW, BUILD_MISPLACED */
  readBuild(item: Item, number: number): Promise<{ build: Build; text: string }>
  /** @throws FILE_MISSING, NAME_INVALID */
  open(item: Item, number: number, file: string): Promise<Readable>
  /** a local file that may be hard-linked or copied; @throws FILE_MISSING, NAME_INVALID */
  path?(item: Item, number: number, file: string): string
}

/**
 * `dir:PATH`: machines at PATH/TREE/N/, ebuild repos at PATH/repos/NAME/N/.
 * @throws SOURCE_INVALID
 */
export function openDirectorySource(text: string): ArtifactSource {
  const path = /^dir:(.+)$/s.exec(text)?.[1]
  if (path !== undefined && !path.includes('\0')) return new DirectorySource(path)
  throw configurationError(
    'SOURCE_INVALID',
    `${JSON.stringify(text)} does not say where artifacts lie`,
    'write dir:PATH for a directory that holds PATH/TREE/N/ and PATH/repos/NAME/N/',
  )
}

/**
 * The source and place of an artifact directory that was named by itself: its siblings are found where it lies at
 * PATH/TREE/N or PATH/repos/NAME/N, else it is the only build there is.
 * @throws BUILD_MISSING, BUILD_INVALID, BUILD_TOO_NEW
 */
export function openArtifact(directory: string): { source: ArtifactSource; item: Item; build: Build } {
  return openArtifactDirectory(directory)
}

/**
 * The build that is meant: `number`, or the latest.
 * @throws BUILD_MISSING with the numbers there are, and what readBuild throws for one that cannot be used
 */
export async function chooseNumber(source: ArtifactSource, item: Item, number?: number): Promise<number> {
  const chosen = number ?? (await source.numbers(item)).at(-1)
  if (chosen === undefined) throw buildMissing(source, item, number, [])
  if (number !== undefined) await source.readBuild(item, number)
  return chosen
}

/** @throws PACK_DAMAGED, MANIFEST_INVALID, FILE_MISSING, ABORTED */
export async function fetchManifest(
  source: ArtifactSource,
  item: Item,
  number: number,
  pack: Pack,
  signal?: AbortSignal,
): Promise<Manifest> {
  const { file, size } = pack.manifest
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of (await source.open(item, number, file)) as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > size) throw damaged(file, `it has more than ${size} bytes`)
    chunks.push(chunk)
  }
  return openManifest(Buffer.concat(chunks), pack, `${file} of ${item.name}@${number}`, signal)
}

/**
 * Brings one file of an artifact to `target` as one step, verified on the way; nothing is left of a failed try.
 * Durable only after syncFileSystem.
 * @throws PACK_DAMAGED, FILE_MISSING, DISK, ABORTED
 */
export async function fetchFile(
  source: ArtifactSource,
  item: Item,
  number: number,
  record: FileRecord,
  target: string,
  context: Context,
): Promise<void> {
  const input = await source.open(item, number, record.file)
  const partial = `${target}.partial`
  try {
    removeTree(partial)
    const checked = new CheckedInput(record, input, context)
    const output = new HashedFile(partial)
    try {
      await checked.forEach((chunk) => output.write(chunk))
    } finally {
      output.close()
    }
    checked.check()
    rename(partial, target)
  } catch (error) {
    input.destroy()
    removeTree(partial)
    throw explainDiskError(error, target)
  }
}
