import { join } from 'node:path'
import { builderDirectories } from '../agent/directories.js'
import { rootServiceOf } from '../agent/root-service-of.js'
import type { RootService } from '../chroot/requests.js'
import type { BuilderConfig } from '../config/config.js'
import type { RepoDirectory } from '../gentoo/repositories.js'
import { snapshot } from '../gentoo/snapshot.js'
import type { Build, Input } from '../model/build.js'
import type { Context } from '../model/report.js'
import { makeDirectory } from '../system/files.js'
import { withLock } from '../system/lock.js'
import { unpackSnapshot } from './repo-snapshots.js'
import type { ChosenSnapshot } from './repo-snapshots.js'

export interface RepoSnapshotRequest {
  /** the ebuild repo's checkout */
  directory: string
  name: string
  number: number
  output: string
  input: Omit<Input, 'name'>
  chroot: string | undefined
  masters: ChosenSnapshot[]
  previous: ChosenSnapshot | undefined
  builder: Pick<BuilderConfig, 'directory' | 'rootProgram'>
  /** default: the builder's own */
  service?: RootService
  tools: Record<string, string>
}

/** Packs an ebuild repo, with masters and the earlier snapshot taken from where they are archived. */
export async function snapshotRepo(request: RepoSnapshotRequest, context: Context): Promise<Build> {
  const directories = builderDirectories(request.builder.directory)
  const service = request.service ?? rootServiceOf(request.builder)
  const unpack = (chosen: ChosenSnapshot) => unpackSnapshot(chosen, directories.snapshots, directories.locks, context)
  const masters: RepoDirectory[] = []
  for (const master of request.masters) masters.push(await unpack(master))
  const previous = request.previous && (await unpack(request.previous)).directory
  const work = join(directories.work, 'snapshots')
  makeDirectory(work)
  const caches = join(directories.work, 'caches')
  const what = `the packing of ${request.name}`
  return withLock(
    join(directories.locks, `pack-${request.name}.lock`),
    { what, wait: 600, signal: context.signal },
    () => snapshot({ ...request, masters, previous, work, caches }, service, context),
  )
}
