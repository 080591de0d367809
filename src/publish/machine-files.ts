import { assembleMachine, PACKAGES_DIRECTORY } from '../gentoo/assemble.js'
import { indexFiles } from '../gentoo/index-files.js'
import type { ReplacedPackage } from '../gentoo/index-files.js'
import { ensureSignedPackages, findSignedPackage } from '../gentoo/signed-packages.js'
import type { BinaryPackage } from '../gentoo/signed-packages.js'
import type { Build } from '../model/build.js'
import { publishError } from '../model/errors.js'
import type { FileMap } from '../model/file-map.js'
import type { Manifest } from '../model/manifest.js'
import { objectKey } from '../model/object-key.js'
import { formatReference } from '../model/reference.js'
import type { Context } from '../model/report.js'
import type { Signer } from '../signing/signer.js'
import type { Stamps } from '../store/generations.js'
import type { Store } from '../store/layout.js'
import { readTextIfThere } from '../system/files.js'

/** A machine's build and the manifests of its packs, by their names. */
export interface MachineBuild {
  build: Build
  manifests: ReadonlyMap<string, Manifest>
}

/** Makes the signed packages that machineContent needs and the store has not. @throws what ensureSignedPackages throws */
export async function ensureSignedMachine(
  store: Store,
  machine: MachineBuild,
  signer: Signer,
  context: Context,
): Promise<void> {
  const { name: tree, number } = machine.build
  const told = { tree, source: formatReference(tree, number) }
  await ensureSignedPackages(store, signer, packagesOf(machine), told, context)
}

/**
 * What a machine's generation holds but for its index files.
 * @param signed fingerprint of the key; undefined: packages as they were archived
 * @throws SIGNATURE_MISSING, and what assembleMachine throws
 */
export function machineContent(store: Store, machine: MachineBuild, signed: string | undefined): FileMap {
  const files = assembleMachine(machine.build, machine.manifests)
  if (signed === undefined) return files
  for (const { path, key } of packagesOf(machine)) {
    const { key: copy, size } = findSignedPackage(store, signed, key) ?? missingCopy(machine.build, path, signed)
    files.set(`${PACKAGES_DIRECTORY}/${path}`, { kind: 'object', key: copy, size })
  }
  return files
}

/**
 * The index files of a machine's generation, and the stamps it leaves; where it is signed, the public key, too.
 * @throws SIGNATURE_MISSING, OBJECT_MISSING, and what indexFiles throws
 */
export function machineIndex(
  store: Store,
  machine: MachineBuild,
  content: FileMap,
  options: { stamps: Stamps; now: number; uri?: string | undefined; signer?: Signer | undefined },
): { files: FileMap; stamps: Stamps } {
  const { stamps, now, uri, signer } = options
  const { build } = machine
  const repos = build.packs
    .filter(({ role }) => role === 'ebuild-repo')
    .map(({ name, manifest }) => ({
      name,
      digest: manifest.sha256,
      commitTime: build.inputs.find((input) => input.name === name)?.commitTime,
    }))
  const source = formatReference(build.name, build.number)
  const index = indexFiles({
    files: content,
    packagesText: indexText(store, content, source),
    source,
    repos,
    stamps,
    now,
    ...(uri !== undefined && { uri }),
    ...(signer !== undefined && { replaced: replacedPackages(store, machine, signer.fingerprint) }),
  })
  if (signer !== undefined) {
    const key = Buffer.from(signer.publicKey)
    index.files.set(`${PACKAGES_DIRECTORY}/${build.name}.gpg`, { kind: 'text', content: key, mtime: now })
  }
  return index
}

function replacedPackages(store: Store, machine: MachineBuild, signed: string): Map<string, ReplacedPackage> {
  return new Map(
    packagesOf(machine).map(({ path, key, size }) => {
      const { sums } = findSignedPackage(store, signed, key) ?? missingCopy(machine.build, path, signed)
      return [path, { archivedSize: size, sums }]
    }),
  )
}

/** What Portage takes for binary packages, by their names. */
function packagesOf({ build, manifests }: MachineBuild): (BinaryPackage & { size: number })[] {
  return build.packs
    .filter(({ role }) => role === 'packages')
    .flatMap(({ name }) => manifests.get(name)?.entries ?? [])
    .flatMap((entry) =>
      entry.type === 'file' && /\.(gpkg\.tar|xpak|tbz2)$/.test(entry.path)
        ? [{ path: entry.path, key: objectKey(entry.sha256, entry.executable), size: entry.size }]
        : [],
    )
}

function indexText(store: Store, content: FileMap, source: string): string | undefined {
  const file = content.get(`${PACKAGES_DIRECTORY}/Packages`)
  if (file?.kind !== 'object') return undefined
  const text = readTextIfThere(store.object(file.key))
  if (text !== undefined) return text
  throw publishError(
    'OBJECT_MISSING',
    `the store lacks Packages of ${source} (object ${file.key})`,
    `pull ${source} again: it brings what is missing`,
  )
}

function missingCopy({ name, number }: Build, path: string, fingerprint: string): never {
  const reference = formatReference(name, number)
  throw publishError(
    'SIGNATURE_MISSING',
    `the store lost the copy of ${path} of ${reference} that is signed with the key ${fingerprint}`,
    `publish ${reference} with that key again: it makes what is missing`,
  )
}
