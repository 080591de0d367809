import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { BUILD_FILE, itemKind, parseBuild } from '../model/build.js'
import type { Build } from '../model/build.js'
import { configurationError, infrastructureError } from '../model/errors.js'
import { validName } from '../model/names.js'
import { exists, listDirectory, readStream, readTextIfThere, targetStatusOf } from '../system/files.js'
import { artifactFile, buildMissing, checkPlace, NUMBER, validNumber } from './place.js'
import type { ArtifactSource, Item } from './source.js'

const REPOS = 'repos'
/** A build record is a few kilobytes; what is larger is something else. */
const MAX_RECORD = 2 ** 20

/** Artifacts in a local directory: machines at PATH/TREE/N/, ebuild repos at PATH/repos/NAME/N/. */
export class DirectorySource implements ArtifactSource {
  readonly description: string
  private readonly top: string

  constructor(path: string) {
    this.description = `dir:${path}`
    this.top = resolve(path)
  }

  numbers(item: Item): Promise<number[]> {
    return promised(() => this.numbersOf(item))
  }

  readBuild(item: Item, number: number): Promise<{ build: Build; text: string }> {
    return promised(() => {
      const path = `${this.place(item, number)}/${BUILD_FILE}`
      const text = readRecord(path)
      if (text === undefined) throw buildMissing(this, item, number, this.numbersOf(item))
      return { build: checkPlace(parseBuild(text, path), item, number, path), text }
    })
  }

  open(item: Item, number: number, file: string): Promise<Readable> {
    return promised(() => readStream(this.path(item, number, file), { highWaterMark: 2 ** 18 }))
  }

  path(item: Item, number: number, file: string): string {
    return existingFile(this.place(item, number), file)
  }

  private numbersOf(item: Item): number[] {
    const directory = this.itemDirectory(item)
    return listDirectory(directory)
      .map(({ name }) => name)
      .filter((name) => NUMBER.test(name) && exists(`${directory}/${name}/${BUILD_FILE}`))
      .map(Number)
      .sort((a, b) => a - b)
  }

  private place(item: Item, number: number): string {
    return `${this.itemDirectory(item)}/${validNumber(number)}`
  }

  private itemDirectory({ kind, name }: Item): string {
    return kind === 'tree'
      ? `${this.top}/${validName('tree', name)}`
      : `${this.top}/${REPOS}/${validName('ebuild repo', name)}`
  }
}

/** One artifact, wherever its directory lies. */
class LoneArtifact implements ArtifactSource {
  readonly description: string

  constructor(
    private readonly directory: string,
    private readonly build: Build,
    private readonly text: string,
  ) {
    this.description = directory
  }

  numbers(item: Item): Promise<number[]> {
    return Promise.resolve(this.has(item) ? [this.build.number] : [])
  }

  async readBuild(item: Item, number: number): Promise<{ build: Build; text: string }> {
    if (this.has(item) && number === this.build.number) return { build: this.build, text: this.text }
    throw buildMissing(this, item, number, await this.numbers(item))
  }

  open(item: Item, number: number, file: string): Promise<Readable> {
    return promised(() => readStream(this.path(item, number, file), { highWaterMark: 2 ** 18 }))
  }

  path(item: Item, number: number, file: string): string {
    if (!this.has(item) || number !== this.build.number) throw buildMissing(this, item, number, [])
    return existingFile(this.directory, file)
  }

  private has({ kind, name }: Item): boolean {
    return kind === itemKind(this.build) && name === this.build.name
  }
}

/** @throws BUILD_MISSING, BUILD_INVALID, BUILD_TOO_NEW */
export function openArtifactDirectory(directory: string): { source: ArtifactSource; item: Item; build: Build } {
  const place = resolve(directory)
  const text = readRecord(`${place}/${BUILD_FILE}`)
  if (text === undefined) {
    throw configurationError(
      'BUILD_MISSING',
      `${directory} is no artifact: it has no ${BUILD_FILE}`,
      'name the directory that `treeswap build` or `treeswap pack` made',
    )
  }
  const build = parseBuild(text, `${directory}/${BUILD_FILE}`)
  const item = { kind: itemKind(build), name: build.name }
  const parts = [...(build.kind === 'ebuild-repo' ? [REPOS] : []), build.name, String(build.number)]
  const top = resolve(place, ...parts.map(() => '..'))
  const source = resolve(top, ...parts) === place ? new DirectorySource(top) : new LoneArtifact(place, build, text)
  return { source, item, build }
}

function existingFile(directory: string, file: string): string {
  const path = `${directory}/${artifactFile(file)}`
  if (targetStatusOf(path)?.isFile()) return path
  throw infrastructureError(
    'FILE_MISSING',
    `${path} is not there, though the build record names it`,
    'copy the whole artifact directory again, or build again',
  )
}

function readRecord(path: string): string | undefined {
  const status = targetStatusOf(path)
  if (status === undefined) return undefined
  if (status.isFile() && status.size <= MAX_RECORD) return readTextIfThere(path)
  return ''
}

/** Errors of synchronous work as rejections. */
async function promised<T>(action: () => T): Promise<T> {
  return Promise.resolve().then(action)
}
