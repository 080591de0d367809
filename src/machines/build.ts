import { join } from 'node:path'
import { chainLength, lastingBase, latestBase, restorePackages } from '../agent/base-build.js'
import type { BaseBuild } from '../agent/base-build.js'
import { openLog } from '../agent/build-log.js'
import { builderDirectories } from '../agent/directories.js'
import type { BuilderDirectories } from '../agent/directories.js'
import { rootServiceOf } from '../agent/root-service-of.js'
import { holdPack } from '../artifact/copy-pack.js'
import { packTree } from '../artifact/pack-tree.js'
import { packDirectory } from '../artifact/pack.js'
import type { ArtifactSource } from '../artifact/source.js'
import { refuseExisting } from '../artifact/write.js'
import type { RootService } from '../chroot/requests.js'
import type { BuilderConfig, MachineConfig } from '../config/config.js'
import { buildWorld } from '../gentoo/build-world.js'
import type { WorldResult } from '../gentoo/build-world.js'
import { findProfile } from '../gentoo/profile.js'
import type { Profile } from '../gentoo/profile.js'
import type { Build, Input } from '../model/build.js'
import type { Context } from '../model/report.js'
import { now } from '../system/clock.js'
import { makeDirectory, makeTemporaryDirectory, removeTree } from '../system/files.js'
import { withLock } from '../system/lock.js'
import { unpackSnapshot } from './repo-snapshots.js'
import type { ChosenSnapshot } from './repo-snapshots.js'

export interface BuildRequest {
  machine: MachineConfig
  builder: BuilderConfig
  /** default: the builder's own */
  service?: RootService
  snapshots: ChosenSnapshot[]
  /** the machine's directory in a checkout of the profile repository */
  profile: string
  /** what decides whether a build has to be repeated; recorded in build.json */
  inputs: Input[]
  /** artifact directory to make */
  output: string
  /** undefined: one more than the last build in `base` has, or 1 */
  number: number | undefined
  /** where the last successful build is looked for */
  base: ArtifactSource | undefined
  /** pack everything, naming no earlier build */
  full: boolean
  tools: Record<string, string>
}

export interface BuildReport {
  build: Build
  output: string
  /** CATEGORY/PF that were compiled in this run */
  compiled: string[]
  /** … that were installed from a binary package that was finished before */
  reused: string[]
  removed: string[]
  /** bytes of the artifact's packs */
  bytes: number
}

/** Builds a machine and archives the result. On failure the root is as before and there is no artifact. */
export async function buildTree(request: BuildRequest, context: Context): Promise<BuildReport> {
  const { machine, builder } = request
  const directories = builderDirectories(builder.directory)
  const what = `the build of ${machine.name}`
  return withLock(join(directories.locks, `build-${machine.name}.lock`), { what, signal: context.signal }, () =>
    holdingSnapshots(request, directories, context),
  )
}

/** A build takes hours, in which a job archives more snapshots than Jenkins keeps: those that are used are held here. */
async function holdingSnapshots(
  request: BuildRequest,
  directories: BuilderDirectories,
  context: Context,
): Promise<BuildReport> {
  const held = join(directories.work, `repos-${request.machine.name}`)
  removeTree(held)
  try {
    const snapshots = []
    for (const { place, ...chosen } of request.snapshots) {
      snapshots.push({ ...chosen, place: await holdPack(place, join(held, chosen.name), context) })
    }
    return await buildLocked({ ...request, snapshots }, directories, context)
  } finally {
    removeTree(held)
  }
}

async function buildLocked(
  request: BuildRequest,
  directories: BuilderDirectories,
  context: Context,
): Promise<BuildReport> {
  const { machine, snapshots } = request
  const { name } = machine
  const started = new Date(now()).toISOString()
  const profile = findProfile(request.profile)
  await checkBeforehand(request, profile, directories, context)
  const repos = []
  for (const snapshot of mainFirst(snapshots, machine.mainRepo)) {
    repos.push(await unpackSnapshot(snapshot, directories.snapshots, directories.locks, context))
  }
  const base = request.base && (await latestBase(request.base, name))
  const number = request.number ?? (base?.number ?? 0) + 1
  const packages = join(directories.packages, name)
  const log = openLog(join(directories.logs, `${name}.log`))
  try {
    return await buildWorld(
      {
        tree: name,
        chroot: machine.chroot,
        repos,
        profile,
        options: machine,
        packages,
        distfiles: join(directories.distfiles, machine.chroot),
        work: join(directories.work, 'runs'),
        restore: async () => {
          if (base !== undefined) await restorePackages(base, packages, directories.work, context)
        },
        record: (line) => {
          log.record(line)
          context.report.line(line)
        },
      },
      request.service ?? rootServiceOf(request.builder),
      context,
      async (result) => {
        const named = base !== undefined && !request.full && (await chainLength(base)) < request.builder.fullEvery
        const build = await archive(
          { ...request, number },
          result,
          named ? lastingBase(base, number) : undefined,
          started,
          log.path,
          context,
        )
        return report(request, build, result)
      },
    )
  } catch (error) {
    context.report.warn(`the whole log of this run is ${log.path}`)
    throw error
  } finally {
    log.end()
  }
}

/** What would make the archive impossible is found before hours are spent. */
async function checkBeforehand(
  { output }: BuildRequest,
  { etcPortage }: Profile,
  { work }: BuilderDirectories,
  context: Context,
): Promise<void> {
  refuseExisting(output)
  makeDirectory(work)
  const trial = makeTemporaryDirectory(join(work, 'trial-'))
  try {
    const role = 'etc-portage'
    await packDirectory({ name: role, role, directory: etcPortage, output: trial }, context)
  } finally {
    removeTree(trial)
  }
}

function archive(
  request: BuildRequest & { number: number },
  { directory, portageVersion }: WorldResult,
  base: BaseBuild | undefined,
  started: string,
  log: string,
  context: Context,
): Promise<Build> {
  context.report.step(`packing ${request.machine.name}@${request.number}`)
  return packTree(
    {
      directory,
      tree: request.machine.name,
      number: request.number,
      output: request.output,
      repoPacks: request.snapshots.map(({ place }) => place),
      inputs: request.inputs,
      tools: { ...request.tools, portage: portageVersion },
      started,
      log,
      ...(base !== undefined && { base }),
    },
    context,
  )
}

function report({ output }: BuildRequest, build: Build, { events }: WorldResult): BuildReport {
  const { compiled, fromBinary, removed } = events
  const bytes = build.packs.reduce((sum, { size }) => sum + size, 0)
  return { build, output, compiled, reused: fromBinary, removed, bytes }
}

function mainFirst(snapshots: ChosenSnapshot[], main: string): ChosenSnapshot[] {
  return snapshots.toSorted((a, b) => Number(b.name === main) - Number(a.name === main))
}
