import { PACKAGES_DIRECTORY } from '../gentoo/assemble.js'
import { indexFiles } from '../gentoo/index-files.js'
import type { Build } from '../model/build.js'
import { publishError } from '../model/errors.js'
import type { FileMap } from '../model/file-map.js'
import { formatReference } from '../model/reference.js'
import type { Stamps } from '../store/generations.js'
import type { Store } from '../store/layout.js'
import { readTextIfThere } from '../system/files.js'

/** The index files of a machine's generation, and the stamps it leaves. */
export function machineIndex(
  store: Store,
  build: Build,
  content: FileMap,
  options: { stamps: Stamps; now: number; uri?: string | undefined },
): { files: FileMap; stamps: Stamps } {
  const { stamps, now, uri } = options
  const repos = build.packs
    .filter(({ role }) => role === 'ebuild-repo')
    .map(({ name, manifest }) => ({
      name,
      digest: manifest.sha256,
      commitTime: build.inputs.find((input) => input.name === name)?.commitTime,
    }))
  const source = formatReference(build.name, build.number)
  const packagesText = packagesOf(store, content, source)
  return indexFiles({ files: content, packagesText, source, repos, stamps, now, ...(uri !== undefined && { uri }) })
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
