import { packagesPack } from '../model/build.js'
import type { Build, Pack } from '../model/build.js'
import { publishError, TreeswapError } from '../model/errors.js'
import type { FileEntry, Manifest } from '../model/manifest.js'
import { formatReference } from '../model/reference.js'
import type { Context } from '../model/report.js'
import { aborted } from '../system/process.js'
import { listBuilds, readBuild, readManifestOf } from './builds.js'
import type { Store } from './layout.js'

/**
 * The name of a pacman package stands for the same bytes for ever: clients, and caches between, keep what they once
 * fetched under it, and refuse what a database says otherwise.
 * @param manifests those that are not in the store yet
 * @throws PACKAGE_CHANGED where any recorded build of the tree has a package file of that name with other bytes
 */
export async function refuseChangedPackages(
  store: Store,
  build: Build,
  manifests: readonly { pack: Pack; manifest: Manifest }[],
  context: Context,
): Promise<void> {
  const own = packagesPack(build)
  if (build.kind !== 'pacman-repo' || own === undefined) return
  const fetched = manifests.find(({ pack }) => pack.manifest.sha256 === own.manifest.sha256)
  const files = filesOf(fetched?.manifest ?? (await readManifestOf(store, own)))
  const seen = new Set<string>()
  for (const number of listBuilds(store, build.name).reverse()) {
    if (context.signal.aborted) throw aborted('the pull')
    const earlier = await readEarlier(store, build.name, number, seen, context)
    for (const { path, sha256 } of earlier) {
      if ((files.get(path)?.sha256 ?? sha256) !== sha256) throw changed(build, path, number)
    }
  }
}

/** What cannot be read is another command's to mend (`treeswap check`): a new build must not wait for it. */
async function readEarlier(
  store: Store,
  tree: string,
  number: number,
  seen: Set<string>,
  { report }: Context,
): Promise<Iterable<FileEntry>> {
  try {
    const build = readBuild(store, tree, number)
    const pack = packagesPack(build)
    if (build.kind !== 'pacman-repo' || pack === undefined || seen.has(pack.manifest.sha256)) return []
    seen.add(pack.manifest.sha256)
    return filesOf(await readManifestOf(store, pack)).values()
  } catch (error) {
    if (!(error instanceof TreeswapError)) throw error
    report.warn(`it is not known which packages ${formatReference(tree, number)} has: ${error.message}`)
    return []
  }
}

function filesOf({ entries }: Manifest): Map<string, FileEntry> {
  return new Map(entries.flatMap((entry) => (entry.type === 'file' ? [[entry.path, entry] as const] : [])))
}

function changed({ name, number }: Build, file: string, earlier: number): Error {
  return publishError(
    'PACKAGE_CHANGED',
    `${file} of ${formatReference(name, number)} has other bytes than that of ${formatReference(name, earlier)}`,
    'clients keep what they once fetched under a name: build its recipe with a higher pkgrel, as `treeswap build --rebuild RECIPE` does, and rebuild of treeswapPackages',
  )
}
