import { join } from 'node:path'
import type { Skipped } from '../agent/attempt.js'
import { builderDirectories } from '../agent/directories.js'
import { ensureChroot } from '../agent/ensure-chroot.js'
import { artifactPath } from '../agent/output.js'
import { openSource } from '../agent/sources.js'
import type { ArtifactSource, Item } from '../artifact/source.js'
import type { Config, MachineConfig } from '../config/config.js'
import { buildTree } from '../machines/build.js'
import type { BuildReport } from '../machines/build.js'
import { machineInputs, sameInputs } from '../machines/inputs.js'
import { fetchProfile } from '../machines/profile-checkout.js'
import { snapshotOf } from '../machines/repo-snapshots.js'
import type { Input } from '../model/build.js'
import type { Context } from '../model/report.js'
import { listBuilds, readBuildText } from '../store/builds.js'
import { openStore } from '../store/layout.js'
import type { Store } from '../store/layout.js'
import { publishedNumber } from '../store/references.js'
import { withLock } from '../system/lock.js'
import { FailedBuilds } from './failed-builds.js'
import { publishIfNew } from './publish-if-new.js'
import type { NewPublication } from './publish-if-new.js'
import { openSigning } from './signing.js'

export interface MachineOutcome {
  name: string
  /** built: there is a new build, and it is published; published: an earlier one was waiting; unchanged: neither */
  status: 'built' | 'published' | 'unchanged'
  number: number
  /** where it is unchanged: the build that clients are served, which may be another one */
  published?: number
  /** absent where nothing was built */
  build?: Omit<BuildReport, 'build'>
  /** absent where nothing was published */
  publication?: NewPublication
  /** repos that failed in this run: their last good snapshots, which were used instead */
  earlier?: { name: string; number: number }[]
}

/**
 * Builds a machine if anything it depends on has changed, and publishes what is built and was never published.
 * @param failed builds that are not tried again
 */
export async function updateMachine(
  config: Config,
  machine: MachineConfig,
  tools: Record<string, string>,
  context: Context,
  failed = new FailedBuilds(),
): Promise<MachineOutcome | Skipped> {
  const { name } = machine
  const { locks } = builderDirectories(config.builder.directory)
  const what = `treeswap run of ${name}`
  return withLock(join(locks, `machine-${name}.lock`), { what, signal: context.signal }, () =>
    updateLocked(config, machine, tools, context, failed),
  )
}

async function updateLocked(
  config: Config,
  machine: MachineConfig,
  tools: Record<string, string>,
  context: Context,
  failed: FailedBuilds,
): Promise<MachineOutcome | Skipped> {
  const { builder, publisher } = config
  const { name } = machine
  const source = openSource(builder.artifacts)
  const item: Item = { kind: 'tree', name }
  const store = openStore(publisher.root, { create: true })
  const signing = await openSigning(config, name, context)
  context.report.step(`fetching the profile of ${name}`)
  const clone = join(builderDirectories(builder.directory).git, 'profiles', name)
  const { directory, input } = await fetchProfile(machine, clone, context)
  const snapshots = await Promise.all(machine.repos.map((repo) => snapshotOf(source, repo)))
  const inputs = machineInputs(machine, snapshots, input)
  const latest = (await source.numbers(item)).at(-1)
  if (latest !== undefined && (await isCurrent(store, source, item, latest, inputs, context))) {
    const publication = await publishIfNew(config, store, name, latest, signing, context)
    if (publication !== undefined) return { name, number: latest, status: 'published', publication }
    const published = publishedNumber(store, name)
    return { name, number: latest, status: 'unchanged', ...(published !== undefined && { published }) }
  }
  const refused = failed.refuse(name, inputs)
  if (refused !== undefined) return refused
  await ensureChroot(config, machine.chroot, context)
  const number = Math.max(latest ?? 0, listBuilds(store, name).at(-1) ?? 0) + 1
  const { build, ...report } = await failed.trying(name, inputs, () =>
    buildTree(
      {
        machine,
        builder,
        snapshots,
        profile: directory,
        inputs,
        output: artifactPath(builder.artifacts, item, number),
        number,
        base: source,
        full: false,
        tools,
      },
      context,
    ),
  )
  const publication = await publishIfNew(config, store, name, build.number, signing, context)
  return { name, number, status: 'built', build: report, ...(publication && { publication }) }
}

/**
 * Whether the last build in the source was made from these inputs and is the one that the store knows by its number.
 * Where it is not (the source was emptied or replaced, and its numbers began again), the next build goes on counting.
 */
async function isCurrent(
  store: Store,
  source: ArtifactSource,
  item: Item,
  number: number,
  inputs: readonly Input[],
  { report }: Context,
): Promise<boolean> {
  const { build, text } = await source.readBuild(item, number)
  if (!sameInputs(build, inputs)) return false
  const recorded = readBuildText(store, item.name, number)
  if (recorded === undefined || recorded === text) return true
  report.warn(`${item.name}@${number} in ${source.description} is not the build that the store has: building again`)
  return false
}
