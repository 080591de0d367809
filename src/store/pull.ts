import { join } from 'node:path'
import { readManifest } from '../artifact/manifest-file.js'
import { fetchFile } from '../artifact/source.js'
import type { ArtifactSource, Item } from '../artifact/source.js'
import { checkEntries, readPack } from '../artifact/unpack.js'
import { BUILD_FILE } from '../model/build.js'
import type { Build, Pack } from '../model/build.js'
import { publishError, TreeswapError } from '../model/errors.js'
import type { FileEntry, Manifest } from '../model/manifest.js'
import { validName } from '../model/names.js'
import { objectKey } from '../model/object-key.js'
import type { ObjectKey } from '../model/object-key.js'
import { formatReference } from '../model/reference.js'
import type { Context } from '../model/report.js'
import {
  exists,
  explainDiskError,
  makeDirectory,
  removeTree,
  rename,
  statusOf,
  syncDirectory,
  syncFileSystem,
  writeNew,
} from '../system/files.js'
import { aborted } from '../system/process.js'
import { readBuildText, recordDigest, RECORD_DIGEST_FILE } from './builds.js'
import { refuseChangedPackages } from './changed-packages.js'
import type { Store } from './layout.js'
import { withPullLock } from './lock.js'
import { fetchLog } from './log.js'
import { knownObjects, placeObjects, stageObjects } from './objects.js'

export interface Pulled {
  build: Build
  /** the store had the build before */
  already: boolean
  /** bytes of all files that were read from the source */
  fetchedBytes: number
  newObjects: number
}

interface Pull {
  store: Store
  source: ArtifactSource
  item: Item
  build: Build
  context: Context
  /** holds what has not been verified yet; removed at the end, however it ends */
  staging: string
  fetchedBytes: number
}

/**
 * Brings a build into the store: fetches what the store lacks (also from the builds that carry it), verifies it, makes
 * it durable, records it. Whatever stops it, the store is as before but for whole objects that no record needs.
 * A build that is recorded already is compared, and completed where something of it was lost.
 * @throws BUILD_CHANGED, PACKAGE_CHANGED, ORIGIN_MISSING, LOCKED, DISK, ABORTED, and what the source and the reader of packs throw
 */
export async function pull(
  store: Store,
  source: ArtifactSource,
  tree: string,
  number: number,
  context: Context,
): Promise<Pulled> {
  validName('tree', tree)
  return await withPullLock(store, tree, context.signal, async () => {
    const staging = store.incoming(tree)
    removeTree(staging)
    try {
      makeDirectory(staging)
      return await pullInto(staging, store, source, { kind: 'tree', name: tree }, number, context)
    } catch (error) {
      throw explainDiskError(error, store.root)
    } finally {
      removeTree(staging)
    }
  })
}

async function pullInto(
  staging: string,
  store: Store,
  source: ArtifactSource,
  item: Item,
  number: number,
  context: Context,
): Promise<Pulled> {
  const { build, text } = await source.readBuild(item, number)
  const recorded = readBuildText(store, item.name, number)
  if (recorded !== undefined && recorded !== text) throw changed(build, source)
  const pull: Pull = { store, source, item, build, context, staging, fetchedBytes: Buffer.byteLength(text) }

  const manifests = await findManifests(pull, recorded !== undefined)
  if (recorded === undefined) await refuseChangedPackages(store, build, manifests, context)
  const newObjects = await stageMissing(pull, manifests)
  if (recorded === undefined) await stageRecord(pull, text)
  await commit(pull, manifests, newObjects, recorded === undefined)
  const { fetchedBytes } = pull
  return { build, already: recorded !== undefined, fetchedBytes, newObjects: newObjects.size }
}

interface PackManifest {
  pack: Pack
  manifest: Manifest
  /** where it lies in the staging directory; undefined: it is in the store */
  staged: string | undefined
}

/**
 * The manifests of the packs that are to be looked at. One that is in the store says that all its objects are, too, so
 * that pack is done with, unless the build is recorded and pulled again to be repaired.
 */
async function findManifests(pull: Pull, repair: boolean): Promise<PackManifest[]> {
  const found: PackManifest[] = []
  for (const pack of pull.build.packs) {
    const known = pull.store.manifest(pack.manifest.sha256)
    if (exists(known)) {
      if (!repair) continue
      const manifest = await readIfSound(known, pack)
      if (manifest !== undefined) {
        found.push({ pack, manifest, staged: undefined })
        continue
      }
    }
    const staged = join(pull.staging, `manifest-${pack.manifest.sha256}`)
    if (exists(staged)) continue
    await fetchFile(pull.source, pull.item, pull.build.number, pack.manifest, staged, pull.context)
    pull.fetchedBytes += pack.manifest.size
    found.push({ pack, manifest: await readManifest(staged, pack), staged })
  }
  return found
}

async function readIfSound(path: string, pack: Pack): Promise<Manifest | undefined> {
  try {
    return await readManifest(path, pack)
  } catch (error) {
    if (error instanceof TreeswapError) return undefined
    throw error
  }
}

/** @returns keys of the objects that are new and lie in the staging directory */
async function stageMissing(pull: Pull, manifests: readonly PackManifest[]): Promise<Set<ObjectKey>> {
  const known = knownObjects(pull.store)
  const staged = new Set<ObjectKey>()
  const staging = join(pull.staging, 'objects')
  makeDirectory(staging)
  const lacks = (entry: FileEntry): boolean => !known(keyOf(entry)) && !staged.has(keyOf(entry))
  const sizeOf = (key: ObjectKey): number | undefined =>
    statusOf(staged.has(key) ? join(staging, key) : pull.store.object(key))?.size
  for (const { pack, manifest } of manifests) {
    const files = manifest.entries.filter((entry) => entry.type === 'file')
    const origins = new Set(files.filter(lacks).map((entry) => entry.origin))
    for (const origin of origins) {
      // equal content may have come with another origin by now
      const entries = files.filter((entry) => entry.origin === origin && lacks(entry))
      if (entries.length === 0) continue
      for (const key of await stagePack(pull, { pack, manifest }, origin, entries, staging)) staged.add(key)
    }
    // What the pack itself carries was compared with it, if it was read.
    const unread = files.filter((entry) => entry.origin !== undefined || !origins.has(undefined))
    const wrong = unread.find((entry) => sizeOf(keyOf(entry)) !== entry.size)
    if (wrong !== undefined) throw wrongSize(pull, pack, wrong)
  }
  return staged
}

/** Takes the missing entries from this build's pack, or from the pack of the build that carries them. */
async function stagePack(
  pull: Pull,
  { pack, manifest }: { pack: Pack; manifest: Manifest },
  origin: number | undefined,
  missing: readonly FileEntry[],
  directory: string,
): Promise<ReadonlySet<ObjectKey>> {
  const { source, item, build, context } = pull
  const carrier = origin === undefined ? pack : await packOf(pull, origin, pack.name)
  context.report.step(`fetching ${carrier.file} of ${formatReference(item.name, origin ?? build.number)}`)
  const wanted = new Set(missing.map(keyOf))
  const byPath = new Map(missing.map((entry) => [entry.path, keyOf(entry)]))
  const { sink, staged } = stageObjects(directory, wanted, (path) => byPath.get(path))
  const input = await source.open(item, origin ?? build.number, carrier.file)
  if (context.signal.aborted) {
    input.destroy()
    throw aborted('the pull')
  }
  const entries = await readPack(carrier, input, sink, context)
  pull.fetchedBytes += carrier.size
  if (origin === undefined) checkEntries(pack, manifest, entries)
  const lost = missing.find((entry) => wanted.has(keyOf(entry)))
  if (lost !== undefined) throw originMissing(pull, origin ?? build.number, `its pack ${pack.name} lacks ${lost.path}`)
  return staged
}

async function packOf(pull: Pull, number: number, name: string): Promise<Pack> {
  const { build } = await pull.source.readBuild(pull.item, number).catch((error: unknown) => {
    throw error instanceof TreeswapError ? originMissing(pull, number, error.message, error) : error
  })
  const pack = build.packs.find((candidate) => candidate.name === name)
  if (pack === undefined) throw originMissing(pull, number, `it has no pack ${name}`)
  return pack
}

async function stageRecord(pull: Pull, text: string): Promise<void> {
  const record = join(pull.staging, 'record')
  makeDirectory(record)
  writeNew(join(record, BUILD_FILE), text)
  writeNew(join(record, RECORD_DIGEST_FILE), recordDigest(text))
  pull.fetchedBytes += await fetchLog(pull.source, pull.item, pull.build, record, pull.context)
}

/**
 * What is in objects/ is durable, what is in manifests/ has all its objects, what is in builds/ has all its manifests:
 * each only after the one before it is on disk.
 */
async function commit(
  { store, staging, build, context }: Pull,
  manifests: readonly PackManifest[],
  newObjects: ReadonlySet<ObjectKey>,
  record: boolean,
): Promise<void> {
  if (context.signal.aborted) throw aborted('the pull')
  context.report.step(`recording ${formatReference(build.name, build.number)}`)
  await syncFileSystem(staging)
  await placeObjects(store, join(staging, 'objects'), newObjects)
  if (newObjects.size > 0) await syncFileSystem(staging)
  for (const { pack, staged } of manifests) {
    if (staged !== undefined) rename(staged, store.manifest(pack.manifest.sha256))
  }
  syncDirectory(join(store.root, 'manifests'))
  if (!record) return
  makeDirectory(join(store.root, 'builds', build.name))
  syncDirectory(join(store.root, 'builds'))
  const place = store.build(build.name, build.number)
  // A directory without a record is what somebody left of a build that was removed by hand.
  if (exists(place)) rename(place, join(staging, 'remnant'))
  rename(join(staging, 'record'), place)
  syncDirectory(join(store.root, 'builds', build.name))
}

function keyOf({ sha256, executable }: FileEntry): ObjectKey {
  return objectKey(sha256, executable)
}

function changed(build: Build, source: ArtifactSource): Error {
  const reference = formatReference(build.name, build.number)
  return publishError(
    'BUILD_CHANGED',
    `${reference} in ${source.description} is not the ${reference} that the store has: its build.json differs`,
    'a number stands for one result for ever: give the new result a higher number (was the job deleted and its numbering begun anew?)',
  )
}

function wrongSize({ item, build }: Pull, pack: Pack, { path, size }: FileEntry): Error {
  return publishError(
    'PACK_DAMAGED',
    `${pack.manifest.file} of ${formatReference(item.name, build.number)} says that ${path} has ${size} bytes, which its content has not`,
    'run `treeswap check`: if it finds that object damaged, do as it says; else what wrote the manifest is wrong',
  )
}

function originMissing(pull: Pull, origin: number, why: string, cause?: unknown): Error {
  const { item, build, source } = pull
  return publishError(
    'ORIGIN_MISSING',
    `${formatReference(item.name, build.number)} relies on packages of build ${origin}, which ${source.description} does not give: ${why}`,
    'build it again with --full: its pack then carries every package itself',
    cause,
  )
}
