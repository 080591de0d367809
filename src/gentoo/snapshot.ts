import { basename, join } from 'node:path'
import { packDirectory } from '../artifact/pack.js'
import { refuseExisting, writeArtifact } from '../artifact/write.js'
import type { RootService } from '../chroot/requests.js'
import type { Build, Input } from '../model/build.js'
import { configurationError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { now } from '../system/clock.js'
import { copyTree } from '../system/copy-tree.js'
import {
  isDirectory,
  listDirectory,
  makeDirectory,
  makeTemporaryDirectory,
  removeTree,
  statusOf,
} from '../system/files.js'
import { CACHE, generateCache, hasCache, listEbuilds } from './md5-cache.js'
import { requireRepoName } from './repositories.js'
import type { RepoDirectory } from './repositories.js'

export interface SnapshotRequest {
  /** the ebuild repo's checkout; it is only read */
  directory: string
  name: string
  number: number
  /** directory of the artifact, which must not be there yet */
  output: string
  /** git URL and commit, as far as they are known */
  input: Omit<Input, 'name'>
  /** root in which the metadata cache is generated where the checkout has none */
  chroot?: string | undefined
  masters: RepoDirectory[]
  /** an unpacked earlier snapshot, whose cache entries are taken over where they are still right */
  previous?: string | undefined
  /** where temporary copies are made; the caller holds a lock, so that one process packs the repo */
  work: string
  /** where containers write metadata caches, by chroot; on the file system of `work` */
  caches: string
  tools: Record<string, string>
}

/**
 * Packs an ebuild repo: its files without those of the version control system, with a complete metadata/md5-cache.
 * The same inputs give the same tar bytes.
 * @throws REPO_NAME_MISSING, REPO_NAME_MISMATCH, CHROOT_NEEDED, ARTIFACT_EXISTS and what generateCache throws
 */
export async function snapshot(request: SnapshotRequest, service: RootService, context: Context): Promise<Build> {
  const { directory, name, number, output } = request
  if (!isDirectory(directory)) {
    throw configurationError('DIRECTORY_MISSING', `${directory} is no directory`, 'name the checkout of an ebuild repo')
  }
  requireRepoName(directory, name)
  refuseExisting(output)
  const started = new Date(now()).toISOString()
  removeDead(request)
  const temporary = makeTemporaryDirectory(join(request.work, `snapshot-${name}-`))
  try {
    const complete = await withCache(request, join(temporary, name), service, context)
    return await writeArtifact(output, async (artifact) => {
      context.report.step(`packing ${name}`)
      const { pack } = await packDirectory(
        { name, role: 'ebuild-repo', directory: complete, output: artifact },
        context,
      )
      return {
        schema: 1,
        kind: 'ebuild-repo',
        name,
        number,
        started,
        finished: new Date(now()).toISOString(),
        inputs: [{ name, ...request.input }],
        tools: request.tools,
        packs: [pack],
      }
    })
  } finally {
    removeTree(temporary)
  }
}

/** Copies of killed runs: mkdtemp(3) ends names with six letters and digits. */
function removeDead({ work, name }: SnapshotRequest): void {
  const own = `snapshot-${name}-`
  const dead = listDirectory(work).filter(
    (entry) => entry.name.startsWith(own) && /^\w{6}$/.test(entry.name.slice(own.length)),
  )
  for (const entry of dead) removeTree(join(work, entry.name))
}

/** The directory to pack: the checkout itself where it brings its cache, else a copy with a generated one. */
async function withCache(
  { directory, name, chroot, masters, previous, caches }: SnapshotRequest,
  copy: string,
  service: RootService,
  context: Context,
): Promise<string> {
  if (hasCache(directory) || listEbuilds(directory).length === 0) return directory
  if (chroot === undefined) {
    throw configurationError(
      'CHROOT_NEEDED',
      `the ebuild repo ${name} brings no metadata/md5-cache, and no chroot is named to generate it in`,
      'add --chroot NAME (or chroot: under the repo in the configuration); `treeswap chroot list` shows what there is',
    )
  }
  context.report.step(`generating the metadata cache of ${name}`)
  makeDirectory(copy)
  const parts = listDirectory(directory).filter((entry) => entry.name !== '.git')
  await copyTree(
    parts.map((entry) => join(directory, entry.name)),
    copy,
    context.signal,
  )
  requireRealDirectories(copy)
  if (previous !== undefined && isDirectory(join(previous, CACHE))) {
    makeDirectory(join(copy, 'metadata'))
    await copyTree([join(previous, CACHE)], join(copy, 'metadata'), context.signal)
  }
  await generateCache({ name, directory: copy }, masters, service, chroot, join(caches, chroot), context)
  return copy
}

/** The cache is written below them, with the rights of the host's root. */
function requireRealDirectories(directory: string): void {
  for (const path of ['metadata', CACHE]) {
    const status = statusOf(join(directory, path))
    if (status === undefined || status.isDirectory()) continue
    throw configurationError(
      'REPO_UNSAFE',
      `${path} of the ebuild repo ${basename(directory)} is no directory of its own`,
      'a link or a file is in its place: make it a directory in the repository',
    )
  }
}
