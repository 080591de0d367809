import { join } from 'node:path'
import { readManifest } from '../artifact/manifest-file.js'
import { BUILD_FILE, itemKind, parseBuild } from '../model/build.js'
import type { Build, Pack } from '../model/build.js'
import { publishError } from '../model/errors.js'
import type { Manifest } from '../model/manifest.js'
import { formatReference } from '../model/reference.js'
import { exists, listDirectory, readTextIfThere } from '../system/files.js'
import { sha256 } from '../system/hash.js'
import type { Store } from './layout.js'

/** Trees of which there is at least one build, sorted by name. */
export function listTrees(store: Store): string[] {
  return listDirectory(join(store.root, 'builds'))
    .filter((entry) => entry.isDirectory() && listBuilds(store, entry.name).length > 0)
    .map((entry) => entry.name)
}

/** Numbers of the builds that the store has of a tree, ascending. */
export function listBuilds(store: Store, tree: string): number[] {
  return listDirectory(join(store.root, 'builds', tree))
    .filter((entry) => entry.isDirectory() && /^[1-9]\d*$/.test(entry.name))
    .map((entry) => Number(entry.name))
    .sort((a, b) => a - b)
}

/** The record as it was pulled, byte for byte; undefined where the store does not have the build. */
export function readBuildText(store: Store, tree: string, number: number): string | undefined {
  return readTextIfThere(join(store.build(tree, number), BUILD_FILE))
}

/** Beside the record, as sha256sum(1) writes and checks it: a record that was edited can be told. */
export const RECORD_DIGEST_FILE = `${BUILD_FILE}.sha256`

export function recordDigest(text: string): string {
  return `${sha256(text)}  ${BUILD_FILE}\n`
}

/** Whether a record is what was pulled, as far as that was noted. */
export function isRecordAsPulled(store: Store, tree: string, number: number): boolean {
  const digest = readTextIfThere(join(store.build(tree, number), RECORD_DIGEST_FILE))
  return digest === undefined || digest === recordDigest(readBuildText(store, tree, number) ?? '')
}

/** @throws BUILD_UNKNOWN, BUILD_INVALID (also where it is the record of another build), BUILD_TOO_NEW */
export function readBuild(store: Store, tree: string, number: number): Build {
  const text = readBuildText(store, tree, number)
  if (text === undefined) throw unknownBuild(store, tree, number)
  const path = join(store.build(tree, number), BUILD_FILE)
  const build = parseBuild(text, path)
  if (itemKind(build) === 'tree' && build.name === tree && build.number === number) return build
  throw publishError(
    'BUILD_INVALID',
    `${path} is the record of ${build.kind} ${formatReference(build.name, build.number)}`,
    `remove ${store.build(tree, number)} and pull ${formatReference(tree, number)} again`,
  )
}

/** What a recorded build's pack consists of. @throws MANIFEST_MISSING, MANIFEST_INVALID */
export async function readManifestOf(store: Store, pack: Pack): Promise<Manifest> {
  const path = store.manifest(pack.manifest.sha256)
  if (exists(path)) return await readManifest(path, pack)
  throw publishError(
    'MANIFEST_MISSING',
    `the store lost the manifest of ${pack.name} (${path})`,
    'pull the build again: it brings what is missing; `treeswap check` names the builds',
  )
}

/** Path of a build's log, if it has one. */
export function logOf(store: Store, build: Build): string | undefined {
  return build.log === undefined ? undefined : join(store.build(build.name, build.number), build.log.file)
}

export function unknownBuild(store: Store, tree: string, number: number): Error {
  const numbers = listBuilds(store, tree)
  return publishError(
    'BUILD_UNKNOWN',
    `the store has no build ${formatReference(tree, number)}`,
    numbers.length === 0
      ? `it has no build of ${tree} at all: \`treeswap pull ${tree}@${number} --from dir:PATH\` brings one`
      : `it has ${numbers.join(', ')}; \`treeswap pull ${tree}@${number} --from dir:PATH\` brings another`,
  )
}
