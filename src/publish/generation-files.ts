import { assembleRepo } from '../arch/assemble.js'
import { repoIndexFiles } from '../arch/index-files.js'
import { packageEntries } from '../arch/package-records.js'
import { readRepoBuild } from '../arch/repo-build.js'
import type { RepoBuild } from '../arch/repo-build.js'
import type { Build } from '../model/build.js'
import { publishError } from '../model/errors.js'
import type { FileMap } from '../model/file-map.js'
import type { Manifest } from '../model/manifest.js'
import { formatReference } from '../model/reference.js'
import type { Context } from '../model/report.js'
import { ensureSignatures, findSignature } from '../signing/signatures.js'
import type { Signer } from '../signing/signer.js'
import { readManifestOf } from '../store/builds.js'
import type { Kept, Stamps } from '../store/generations.js'
import type { Store } from '../store/layout.js'
import { ensureSignedMachine, machineContent, machineIndex } from './machine-files.js'
import type { MachineBuild } from './machine-files.js'

/** A recorded build, read once for all that a publish does with it. */
export type Parts = ({ kind: 'machine' } & MachineBuild) | ({ kind: 'pacman-repo'; build: Build } & RepoBuild)

/** What the marker of a generation says that its content depends on besides the build. */
export interface Extras {
  /** fingerprint of the key that signs; undefined: unsigned */
  signed?: string | undefined
  kept?: Kept | undefined
}

/** @throws MANIFEST_MISSING, MANIFEST_INVALID, and what readRepoBuild throws */
export async function readParts(store: Store, build: Build): Promise<Parts> {
  if (build.kind === 'pacman-repo') return { kind: build.kind, build, ...(await readRepoBuild(store, build)) }
  const manifests = new Map<string, Manifest>()
  for (const pack of build.packs) manifests.set(pack.name, await readManifestOf(store, pack))
  return { kind: 'machine', build, manifests }
}

/**
 * Makes what contentOf needs of a signed generation and the store has not.
 * @throws what ensureSignatures and ensureSignedMachine throw
 */
export async function ensureSigned(store: Store, parts: Parts, signer: Signer, context: Context): Promise<void> {
  if (parts.kind === 'machine') {
    await ensureSignedMachine(store, parts, signer, context)
    return
  }
  const keys = parts.packages.map(({ key }) => key)
  await ensureSignatures(store, signer, keys, context)
}

/**
 * What a generation holds but for its index files.
 * @throws what machineContent throws, SIGNATURE_MISSING
 */
export function contentOf(store: Store, parts: Parts, { signed, kept = {} }: Extras = {}): FileMap {
  if (parts.kind === 'machine') return machineContent(store, parts, signed)
  const { recipes, packages, build } = parts
  const signatureOf = (fingerprint: string) => (file: (typeof packages)[number]) =>
    findSignature(store, fingerprint, file.key) ?? missing(build, file.file, fingerprint)
  const own = assembleRepo(recipes.architecture, packages, signed === undefined ? undefined : signatureOf(signed))
  return withKept(own, kept)
}

/** Adds the files of builds before. */
export function withKept(files: FileMap, kept: Kept): FileMap {
  const added = Object.entries(kept).map(([path, { key, size }]) => [path, { kind: 'object', key, size }] as const)
  return added.length === 0 ? files : new Map([...files, ...added])
}

export interface IndexRequest {
  /** the latest that were ever given */
  stamps: Stamps
  /** seconds since 1970 */
  now: number
  /** where clients fetch packages of exactly this generation */
  uri?: string | undefined
  signer?: Signer | undefined
}

/**
 * The index files of a generation, and the stamps it leaves.
 * @param content what contentOf gives
 * @throws what machineIndex, packageEntries and repoIndexFiles throw
 */
export async function indexOf(
  store: Store,
  parts: Parts,
  content: FileMap,
  request: IndexRequest,
  context: Context,
): Promise<{ files: FileMap; stamps: Stamps }> {
  const { build } = parts
  if (parts.kind === 'machine') return machineIndex(store, parts, content, request)
  const { stamps, now, signer } = request
  const { architecture } = parts.recipes
  const source = formatReference(build.name, build.number)
  const packages = await packageEntries(store, parts.packages, { architecture, source }, context)
  return await repoIndexFiles({ tree: build.name, architecture, packages, stamps, now, signer })
}

function missing(build: Build, file: string, fingerprint: string): never {
  const reference = formatReference(build.name, build.number)
  throw publishError(
    'SIGNATURE_MISSING',
    `the store lost the signature of ${file} of ${reference} by the key ${fingerprint}`,
    `publish ${reference} with that key again: it makes what is missing`,
  )
}
