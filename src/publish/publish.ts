import { dirname } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import type { Build } from '../model/build.js'
import { TreeswapError } from '../model/errors.js'
import type { FileMap } from '../model/file-map.js'
import { validName } from '../model/names.js'
import { formatReference } from '../model/reference.js'
import type { Reference } from '../model/reference.js'
import type { Context } from '../model/report.js'
import { readBuild } from '../store/builds.js'
import { MARKER_FILE, readMarker, readPointer, unfinishedGeneration } from '../store/generations.js'
import type { Marker, Settings } from '../store/generations.js'
import { GENERATIONS } from '../store/layout.js'
import type { Store } from '../store/layout.js'
import { withTreeLock } from '../store/lock.js'
import { resolveReference } from '../store/references.js'
import { readState, writeState } from '../store/state.js'
import type { TreeState } from '../store/state.js'
import { now } from '../system/clock.js'
import {
  errorCode,
  explainDiskError,
  rename,
  replaceLink,
  syncDirectory,
  syncFileSystem,
  writeNew,
} from '../system/files.js'
import { aborted, runAny } from '../system/process.js'
import { requireAnnounced } from './announced-key.js'
import { findDamage } from './damage.js'
import { fillGeneration } from './fill-generation.js'
import type { Filled } from './fill-generation.js'
import { contentOf, ensureSigned, indexOf, readParts, withKept } from './generation-files.js'
import type { Parts } from './generation-files.js'
import { keptFiles } from './kept.js'
import { markerOf, uriOf } from './marker.js'
import { settingsOf } from './options.js'
import type { PublishOptions, TreeKey } from './options.js'
import { outdatedBy } from './outdated.js'
import { retireExpired, retireGeneration, takeDown, unfinishedDirectories } from './retire.js'
import { tryGeneration } from './trial.js'

export type { PublishOptions } from './options.js'

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
  /** fingerprint of the key that signed; absent: unsigned */
  signed?: string
}

/**
 * Publishes a build: makes a new generation beside the old one, makes it durable, and renames the tree's one link. The
 * link leads to a complete generation at every moment, whatever happens. A build that is published already is left
 * alone, unless something of its generation was damaged, it would name another URL, another key signs, or the same one
 * with another subkey or term.
 * @throws BUILD_UNKNOWN, OBJECT_MISSING, TREE_INVALID, PACKAGES_INVALID, PACKAGES_INCOMPLETE, PACKAGE_MISNAMED,
 * SIGNING_KEY_MISSING, KEY_NOT_ANNOUNCED, PUBLISH_TRIAL, LOCKED, DISK, ABORTED, …
 */
export async function publish(
  store: Store,
  tree: string,
  number: number,
  options: PublishOptions,
  context: Context,
): Promise<Publication> {
  return await locked(store, tree, () => number, options, context)
}

/**
 * Publishes the build that a reference means at the moment when no other publish of the tree is under way.
 * @param reference without `@…`: the latest build
 * @throws what resolveReference and publish throw
 */
export async function publishReference(
  store: Store,
  reference: Reference,
  options: PublishOptions,
  context: Context,
): Promise<Publication> {
  const choose = (): number => resolveReference(store, reference, { kind: 'latest' })
  return await locked(store, reference.tree, choose, options, context)
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
  const choose = (): number => resolveReference(store, reference, { kind: 'previous' })
  return await locked(store, reference.tree, choose, options, context)
}

/** @param choose says which build it is, under the lock: what is published, and so what came before it, may change until then */
async function locked(
  store: Store,
  tree: string,
  choose: () => number,
  options: PublishOptions,
  context: Context,
): Promise<Publication> {
  validName('tree', tree)
  const leftovers: string[] = []
  try {
    return await withTreeLock(store, tree, context.signal, async () => {
      try {
        return await publishLocked(store, readBuild(store, tree, choose()), options, leftovers, context)
      } catch (error) {
        throw explainDiskError(error, store.root)
      }
    })
  } finally {
    await removeAll(leftovers, context)
  }
}

/** @param leftovers gets the directories that are to be removed when others no longer have to wait for it */
async function publishLocked(
  store: Store,
  build: Build,
  options: PublishOptions,
  leftovers: string[],
  context: Context,
): Promise<Publication> {
  const tree = build.name
  const state = readState(store, tree)
  const settings = settingsOf(build, options, state)
  const { signed, graceSeconds } = settings
  if (signed === undefined && state.settings?.signed !== undefined && build.kind === 'pacman-repo') {
    context.report.warn(signaturesStay(tree))
  }
  const parts = await readParts(store, build)
  leftovers.push(...unfinishedDirectories(store, tree))
  const removedGenerations: number[] = []
  const retire = (): void => {
    const { directories, serials } = retireExpired(store, readState(store, tree), graceSeconds, context)
    leftovers.push(...directories)
    removedGenerations.push(...serials)
  }
  const told = { tree, build: build.number, removedGenerations, ...(signed !== undefined && { signed }) }
  const published = await publishedSoundly(store, parts, settings, options.signing, context)
  if (published !== undefined) {
    acknowledge(store, tree, published)
    if (!isDeepStrictEqual(settings, state.settings)) writeState(store, { ...state, settings })
    retire()
    return { ...told, serial: published, already: true, links: 0, copies: 0 }
  }
  const signer = signed === undefined ? undefined : await options.signing?.open()
  if (signer !== undefined && parts.kind === 'pacman-repo' && options.newKey !== true) {
    await requireAnnounced(store, tree, signer, context)
  }
  if (signer !== undefined) await ensureSigned(store, parts, signer, context)
  retire()

  const serial = state.serial + 1
  const begun = Math.floor(now() / 1000)
  const own = contentOf(store, parts, { signed })
  const kept = await keptFiles(store, parts, own, state, { graceSeconds, now: begun }, context)
  const content = withKept(own, kept)
  const uri = uriOf(build, settings, serial)
  const request = { stamps: state.stamps, now: begun, uri, signer }
  const { files: index, stamps } = await indexOf(store, parts, content, request, context)
  const marker = markerOf({ build, serial, uri, stamps, index, kept, state, settings, signer })
  const tryOut = async (directory: string): Promise<void> => {
    if (options.trial !== false) await tryGeneration(parts, directory, index, signer, context)
  }
  const make = async (): Promise<Filled> => {
    // Serial and stamps are used up now: a power cut may take back what clients have seen.
    writeState(store, { ...state, serial, stamps })
    return await makeGeneration(store, marker, new Map([...content, ...index]), tryOut, context)
  }
  const filled = await make().catch(async (error: unknown) => {
    if (!isDiskFull(error) || leftovers.length === 0) throw error
    await removeAll(leftovers, context)
    return await make()
  })
  try {
    replaceLink(`${GENERATIONS}/${tree}.${serial}`, store.pointer(tree))
  } catch (error) {
    if (readPointer(store, tree)?.serial !== serial) leftovers.push(retireGeneration(store, tree, serial))
    throw error
  }
  record(store, state, marker, context)

  if (filled.copies > 0) context.report.warn(copiesMade(filled.copies))
  retire()
  return { ...told, serial, already: false, ...filled }
}

/** What is there may have been renamed to its place by a publish that was killed before it could make that durable. */
function acknowledge(store: Store, tree: string, serial: number): void {
  syncDirectory(dirname(store.generation(tree, serial)))
  syncDirectory(dirname(store.pointer(tree)))
}

function isDiskFull(error: unknown): boolean {
  const code = errorCode(error instanceof TreeswapError ? error.cause : error)
  return ['ENOSPC', 'EDQUOT', 'Unknown system error -122'].includes(code ?? '')
}

async function removeAll(directories: string[], context: Context): Promise<void> {
  for (const directory of directories.splice(0)) await takeDown(directory, context)
}

/** @param tryOut gets the directory when all is in it, and throws where clients must not be led there */
async function makeGeneration(
  store: Store,
  marker: Marker,
  files: FileMap,
  tryOut: (directory: string) => Promise<void>,
  context: Context,
): Promise<Filled> {
  const { tree, serial } = marker
  const directory = unfinishedGeneration(store, tree, serial)
  context.report.step(`publishing ${formatReference(tree, marker.build)} as generation ${serial}`)
  try {
    await spreadOverDisk(dirname(directory))
    const filled = await fillGeneration(store, files, directory, context)
    writeNew(`${directory}/${MARKER_FILE}`, JSON.stringify(marker) + '\n')
    await tryOut(directory)
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
function record(store: Store, state: TreeState, marker: Marker, { report }: Context): void {
  const { serial, build, stamps, settings } = marker
  try {
    const entry = { serial, build, at: new Date(now()).toISOString() }
    const history = [...state.history, entry]
    writeState(store, { ...state, serial, stamps, history, ...(settings !== undefined && { settings }) })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    report.warn(`it is published, but that could not be noted: ${why}; the next publish notes it`)
  }
}

/** Serial of the published generation, if it is of this build and nothing has to be mended. */
async function publishedSoundly(
  store: Store,
  parts: Parts,
  settings: Settings,
  signing: TreeKey | undefined,
  context: Context,
): Promise<number | undefined> {
  const { build } = parts
  const serial = readPointer(store, build.name)?.serial
  const marker = serial === undefined ? undefined : readMarker(store, build.name, serial)
  if (serial === undefined || marker?.build !== build.number) return undefined
  if (marker.uri !== uriOf(build, settings, serial) || marker.settings?.signed !== settings.signed) return undefined
  const damage = await damageOf(store, parts, marker, context)
  const why =
    damage === undefined
      ? await outdated(store, parts, marker, settings.signed === undefined ? undefined : signing)
      : `generation ${serial} is damaged (${damage})`
  if (why === undefined) return serial
  context.report.warn(`${why}: publishing anew`)
  return undefined
}

/** Why it is to be signed anew with the key as it is now. */
async function outdated(
  store: Store,
  parts: Parts,
  marker: Marker,
  signing: TreeKey | undefined,
): Promise<string | undefined> {
  const keys = await signing?.accepted?.()
  const found = keys && outdatedBy(store, parts, marker, keys)
  if (signing === undefined || found?.outlived === undefined) return found?.why
  // the secret that lasts longer may not be here yet
  const signer = await signing.open()
  return found.outlived.some((by) => !signer.lasts(by)) ? found.why : undefined
}

async function damageOf(store: Store, parts: Parts, marker: Marker, context: Context): Promise<string | undefined> {
  try {
    const content = contentOf(store, parts, { signed: marker.settings?.signed, kept: marker.kept })
    const damage = await findDamage(store, marker, content, context)
    return damage.length === 0 ? undefined : `${damage.length} paths, e.g. ${damage[0]?.path ?? ''}`
  } catch (error) {
    if (error instanceof TreeswapError && error.code === 'SIGNATURE_MISSING') return error.message
    throw error
  }
}

function signaturesStay(tree: string): string {
  return `clients of ${tree} keep the signatures of the databases that they have, and would hold them against unsigned ones: each has to remove them once (rm -f /var/lib/pacman/sync/${tree}.*.sig), and needs \`SigLevel = Optional TrustAll\``
}

function copiesMade(copies: number): string {
  return `${copies} files were copied, because the file system refused to link them (too many links to one file, or another file system): they take space of their own`
}
