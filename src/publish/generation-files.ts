import { assembleMachine, PACKAGES_DIRECTORY } from '../gentoo/assemble.js'
import { indexFiles } from '../gentoo/index-files.js'
import type { Build } from '../model/build.js'
import { publishError } from '../model/errors.js'
import type { FileMap } from '../model/file-map.js'
import type { Manifest } from '../model/manifest.js'
import { formatReference } from '../model/reference.js'
import { readManifestOf } from '../store/builds.js'
import type { Stamps } from '../store/generations.js'
import type { Store } from '../store/layout.js'
import { readTextIfThere } from '../system/files.js'

/** What the build itself gives to a generation, from the manifests in the store. */
export async function contentOf(store: Store, build: Build): Promise<FileMap> {
  const manifests = new Map<string, Manifest>()
  for (const pack of build.packs) manifests.set(pack.name, await readManifestOf(store, pack))
  return assembleMachine(build, manifests)
}

/** Adds the index files to what a build gives. */
export function withIndexFiles(
  store: Store,
  build: Build,
  content: FileMap,
  options: { stamps: Stamps; now: number; uri?: string },
): { files: FileMap; index: FileMap; stamps: Stamps } {
  const repos = build.packs
    .filter(({ role }) => role === 'ebuild-repo')
    .map(({ name, manifest }) => ({
      name,
      digest: manifest.sha256,
      commitTime: build.inputs.find((input) => input.name === name)?.commitTime,
    }))
  const source = formatReference(build.name, build.number)
  const packagesText = packagesOf(store, content, source)
  const { files: index, stamps } = indexFiles({ files: content, packagesText, source, repos, ...options })
  return { files: new Map([...content, ...index]), index, stamps }
}

function packagesOf(store: Store, content: FileMap, source: string): string | undefined {
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
