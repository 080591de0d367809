import type { Readable } from 'node:stream'
import type { Build, Pack } from '../model/build.js'
import type { Manifest } from '../model/manifest.js'
import type { Context } from '../model/report.js'

/** What has numbered builds. */
export interface Item {
  kind: Build['kind']
  name: string
}

/** Where artifacts lie. Everything that comes from it is checked by its reader. */
export interface ArtifactSource {
  /** for messages: `dir:/srv/artifacts` */
  readonly description: string
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
export function openSource(_text: string): ArtifactSource {
  throw new Error('not yet')
}

/**
 * The source and place of an artifact directory that was named by itself: siblings are found where it lies at
 * PATH/TREE/N or PATH/repos/NAME/N, else it is the only build there is.
 * @throws BUILD_MISSING, BUILD_INVALID, BUILD_TOO_NEW
 */
export function openArtifact(_directory: string): { source: ArtifactSource; item: Item; build: Build } {
  throw new Error('not yet')
}

/** The build that is meant: `number`, or the latest. @throws BUILD_MISSING with the numbers there are */
export function chooseNumber(_source: ArtifactSource, _item: Item, _number?: number): Promise<number> {
  throw new Error('not yet')
}

/** @throws PACK_DAMAGED, MANIFEST_INVALID, FILE_MISSING */
export function fetchManifest(_source: ArtifactSource, _item: Item, _number: number, _pack: Pack): Promise<Manifest> {
  throw new Error('not yet')
}

/**
 * Brings one file of an artifact to `target` as one step, verified on the way; nothing is left of a failed try.
 * @throws PACK_DAMAGED, FILE_MISSING, DISK, ABORTED
 */
export function fetchFile(
  _source: ArtifactSource,
  _item: Item,
  _number: number,
  _file: { file: string; size: number; sha256: string },
  _target: string,
  _context: Context,
): Promise<void> {
  throw new Error('not yet')
}
