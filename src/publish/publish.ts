import { dirname } from 'node:path'
import type { Build } from '../model/build.js'
import { TreeswapError } from '../model/errors.js'
import type { FileMap } from '../model/file-map.js'
import { validName } from '../model/names.js'
import { formatReference } from '../model/reference.js'
import type { Reference } from '../model/reference.js'
import type { Context } from '../model/report.js'
import { readBuild } from '../store/builds.js'
import { MARKER_FILE, readMarker, readPointer, unfinishedGeneration } from '../store/generations.js'
import type { Marker, Stamps } from '../store/generations.js'
import { GENERATIONS } from '../store/layout.js'
import type { Store } from '../store/layout.js'
import { withTreeLock } from '../store/lock.js'
import { resolveReference } from '../store/references.js'
import { readState, writeState } from '../store/state.js'
import type { TreeState } from '../store/state.js'
import { now } from '../system/clock.js'
import { explainDiskError, rename, replaceLink, syncDirectory, syncFileSystem, writeNew } from '../system/files.js'
import { sha256 } from '../system/hash.js'
import { aborted, runAny } from '../system/process.js'
import { buildTree } from './build-tree.js'
import { findDamage } from './damage.js'
import { contentOf, withIndexFiles } from './generation-files.js'
import { removeExpired, removeUnpublished, takeDown } from './retire.js'

export interface PublishOptions {
  /** public base URL without a slash at its end: `http://pkgs.example.org` */
  http?: string
  /** how long a generation stays for clients in flight after it was replaced, in seconds */
  graceSeconds: number
}

export interface Publication {
  tree: string
  build: number
  serial: number
  /** it was published before, and sound: nothing was done */
  already: boolean
  links: number
  /** files that could not be linked */
  copies: number
  /** serials of old generations that were removed */
  removedGenerations: number[]
}

/**
 * Publishes a build: makes a new generation beside the old one, makes it durable, and renames the tree's one link. The
 * link leads to a complete generation at every moment, whatever happens. A build that is published already is left
 * alone, unless something of its generation was damaged or it would name another URL.
 * @throws BUILD_UNKNOWN, OBJECT_MISSING, TREE_INVALID, PACKAGES_INVALID, PACKAGES_INCOMPLETE, LOCKED, DISK, ABORTED, …
 */
export async function publish(
  store: Store,
  tree: string,
  number: number,
  options: PublishOptions,
  context: Context,
): Promise<Publication> {
  validName('tree', tree)
  return await withTreeLock(store, tree, async () => {
    try {
      return await publishLocked(store, readBuild(store, tree, number), options, context)
    } catch (error) {
      throw explainDiskError(error, store.root)
    }
  })
}

/**
 * Publishes an older build again, as a new generation with newer stamps, because clients ignore older ones.
 * @param reference without `@…`: the build that was published before the one that is published now
 * @throws NOT_PUBLISHED, NO_PREVIOUS, and what resolveReference and publish throw
 */
export async function rollback(
  store: Store,
  reference: Reference,
  options: PublishOptions,
  context: Context,
): Promise<Publication> {
  const number = resolveReference(store, reference, { kind: 'previous' })
  return await publish(store, reference.tree, number, options, context)
}

async function publishLocked(
  store: Store,
  build: Build,
  options: PublishOptions,
  context: Context,
): Promise<Publication> {
  const tree = build.name
  const state = readState(store, tree)
  const content = await contentOf(store, build)
  const published = await publishedSoundly(store, build, content, options, context)
  if (published !== undefined) {
    const removedGenerations = await removeExpired(store, state, options.graceSeconds, context)
    return { tree, build: build.number, serial: published, already: true, links: 0, copies: 0, removedGenerations }
  }
  await removeUnpublished(store, state, context)

  const serial = state.serial + 1
  const uri = uriOf(options, tree, serial)
  const { files, index, stamps } = withIndexFiles(store, build, content, {
    stamps: state.stamps,
    now: Math.floor(now() / 1000),
    ...(uri !== undefined && { uri }),
  })
  writeState(store, { ...state, serial })
  const marker = markerOf(build, serial, uri, stamps, index)
  const filled = await makeGeneration(store, marker, files, context)
  try {
    replaceLink(`${GENERATIONS}/${tree}.${serial}`, store.pointer(tree))
  } catch (error) {
    await removeUnpublished(store, state, context)
    throw error
  }
  record(store, state, marker, context)

  if (filled.copies > 0) context.report.warn(copiesMade(filled.copies))
  const removedGenerations = await removeExpired(store, readState(store, tree), options.graceSeconds, context)
  return { tree, build: build.number, serial, already: false, ...filled, removedGenerations }
}

async function makeGeneration(
  store: Store,
  marker: Marker,
  files: FileMap,
  context: Context,
): Promise<{ links: number; copies: number }> {
  const { tree, serial } = marker
  const directory = unfinishedGeneration(store, tree, serial)
  context.report.step(`publishing ${formatReference(tree, marker.build)} as generation ${serial}`)
  try {
    await spreadOverDisk(dirname(directory))
    const filled = await buildTree(store, files, directory, context)
    writeNew(`${directory}/${MARKER_FILE}`, JSON.stringify(marker) + '\n')
    await syncFileSystem(directory)
    if (context.signal.aborted) throw aborted('the publish')
    const generation = store.generation(tree, serial)
    rename(directory, generation)
    syncDirectory(dirname(generation))
    return filled
  } catch (error) {
    await takeDown(directory, context)
    throw error
  }
}

/**
 * Tells ext4 to begin each directory below in a part of the disk that has room (chattr(1), T). Else it looks for room
 * for each of 30,000 new directories beside its full parent, which takes up to three times as long. Where it is not
 * ext4 nothing is lost.
 */
async function spreadOverDisk(directory: string): Promise<void> {
  try {
    await runAny('chattr', ['+T', directory])
  } catch (error) {
    if (!(error instanceof TreeswapError)) throw error
  }
}

/** The pointer has moved: what goes wrong here can be told from it later, so it must not make the publish fail. */
function record(store: Store, state: TreeState, { serial, build, stamps }: Marker, { report }: Context): void {
  try {
    const entry = { serial, build, at: new Date(now()).toISOString() }
    writeState(store, { ...state, serial, stamps, history: [...state.history, entry] })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    report.warn(`it is published, but that could not be noted: ${why}; the next publish notes it`)
  }
}

/** Serial of the published generation, if it is of this build and nothing has to be mended. */
async function publishedSoundly(
  store: Store,
  build: Build,
  content: FileMap,
  options: PublishOptions,
  context: Context,
): Promise<number | undefined> {
  const serial = readPointer(store, build.name)?.serial
  const marker = serial === undefined ? undefined : readMarker(store, build.name, serial)
  if (serial === undefined || marker?.build !== build.number) return undefined
  if (marker.uri !== uriOf(options, build.name, serial)) return undefined
  const damage = await findDamage(store, marker, content, context)
  if (damage.length === 0) return serial
  context.report.warn(
    `generation ${serial} is damaged (${damage.length} paths, e.g. ${damage[0]?.path ?? ''}): publishing anew`,
  )
  return undefined
}

function markerOf(build: Build, serial: number, uri: string | undefined, stamps: Stamps, index: FileMap): Marker {
  const digests = Array.from(index, ([path, source]): [string, string] => [
    path,
    source.kind === 'text' ? sha256(source.content) : '',
  ])
  return {
    schema: 1,
    tree: build.name,
    serial,
    build: build.number,
    at: new Date(now()).toISOString(),
    ...(uri !== undefined && { uri }),
    stamps,
    index: Object.fromEntries(digests),
  }
}

function uriOf({ http }: PublishOptions, tree: string, serial: number): string | undefined {
  return http === undefined ? undefined : `${http.replace(/\/+$/, '')}/generations/${tree}/${serial}/`
}

function copiesMade(copies: number): string {
  return `${copies} files were copied, because the file system refused to link them (too many links to one file, or another file system): they take space of their own`
}
