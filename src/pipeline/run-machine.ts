import { join } from 'node:path'
import { openSource } from '../artifact/source.js'
import type { Item } from '../artifact/source.js'
import type { Config, MachineConfig } from '../config/config.js'
import type { Context } from '../model/report.js'
import { publish } from '../publish/publish.js'
import { openStore } from '../store/layout.js'
import { pull } from '../store/pull.js'
import { readState } from '../store/state.js'
import { buildTree } from './build.js'
import type { BuildReport } from './build.js'
import { builderDirectories } from './directories.js'
import { ensureChroot } from './ensure-chroot.js'
import { contentOf, fetchGit } from './git.js'
import { machineInputs, sameInputs } from './inputs.js'
import { artifactPath } from './output.js'
import { snapshotOf } from './repo-snapshots.js'

export interface MachineOutcome {
  name: string
  /** built: there is a new build, and it is published; published: an earlier one was waiting; unchanged: neither */
  status: 'built' | 'published' | 'unchanged'
  number: number
  /** absent where nothing was built */
  build?: Omit<BuildReport, 'build'>
  /** absent where nothing was published */
  publication?: { serial: number; pulledBytes: number }
}

/** Builds a machine if anything it depends on has changed, and publishes what is built and was never published. */
export async function updateMachine(
  config: Config,
  machine: MachineConfig,
  tools: Record<string, string>,
  context: Context,
): Promise<MachineOutcome> {
  const { builder } = config
  const { name, profile } = machine
  const directories = builderDirectories(builder.directory)
  const source = openSource(builder.artifacts)
  const item: Item = { kind: 'machine', name }
  context.report.step(`fetching the profile of ${name}`)
  const checkout = await fetchGit(profile, join(directories.git, 'profiles', name), context)
  const path = profile.path ?? '.'
  const snapshots = await Promise.all(machine.repos.map((repo) => snapshotOf(source, repo)))
  const inputs = machineInputs(machine, snapshots, {
    url: profile.url,
    commit: checkout.commit,
    commitTime: checkout.commitTime,
    fingerprint: await contentOf(checkout, path === '.' ? '' : path, context),
  })
  const latest = (await source.numbers(item)).at(-1)
  if (latest !== undefined && sameInputs((await source.readBuild(item, latest)).build, inputs)) {
    const publication = await publishIfNew(config, name, latest, context)
    return {
      name,
      number: latest,
      status: publication ? 'published' : 'unchanged',
      ...(publication && { publication }),
    }
  }
  await ensureChroot(config, machine.chroot, context)
  const number = (latest ?? 0) + 1
  const { build, ...report } = await buildTree(
    {
      machine,
      builder,
      snapshots,
      profile: join(checkout.directory, path),
      inputs,
      output: artifactPath(builder.artifacts, item, number),
      number,
      base: source,
      full: false,
      tools,
    },
    context,
  )
  const publication = await publishIfNew(config, name, build.number, context)
  return { name, number, status: 'built', build: report, ...(publication && { publication }) }
}

/** A build that was published once is left alone: an operator may have gone back from it. */
async function publishIfNew(
  { builder, publisher }: Config,
  tree: string,
  number: number,
  context: Context,
): Promise<MachineOutcome['publication']> {
  const store = openStore(publisher.root, { create: true })
  if (readState(store, tree).history.some(({ build }) => build >= number)) return undefined
  const { fetchedBytes } = await pull(store, openSource(builder.artifacts), tree, number, context)
  const { serial } = await publish(store, tree, number, publisher, context)
  return { serial, pulledBytes: fetchedBytes }
}
