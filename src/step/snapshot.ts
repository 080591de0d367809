import { resolve } from 'node:path'
import { ensureChroot } from '../agent/ensure-chroot.js'
import { rootServiceOf } from '../agent/root-service-of.js'
import { openSource } from '../agent/sources.js'
import { waitingForRoots } from '../agent/wait-for-root.js'
import type { Config } from '../config/config.js'
import { hasCache } from '../gentoo/md5-cache.js'
import { mastersOf } from '../gentoo/repositories.js'
import { describeCheckout } from '../git/git.js'
import { chrootFor } from '../machines/repo-order.js'
import { snapshotOf } from '../machines/repo-snapshots.js'
import { snapshotRepo } from '../machines/snapshot.js'
import { humanBytes } from '../model/quantity.js'
import type { Context } from '../model/report.js'
import { removeTree } from '../system/files.js'
import { version } from '../system/version.js'
import { repoOf } from './describe.js'
import { ARTIFACT, packedIn } from './files.js'
import { latestSnapshots } from './repos.js'
import type { RequestOf, StepOutcome } from './request.js'

/**
 * Archives the checkout of an ebuild repo as the running build.
 * @throws REPO_UNKNOWN, and what snapshotRepo, ensureChroot and the sources throw
 */
export async function snapshotStep(
  config: Config,
  request: RequestOf<'snapshot'>,
  context: Context,
): Promise<StepOutcome> {
  const { name, url } = repoOf(config, request.repo)
  const directory = resolve(request.directory)
  const output = resolve(ARTIFACT)
  removeTree(output)
  const checkout = await describeCheckout(directory, context)
  const names = mastersOf(directory)
  const chroot = chrootFor(config, name, new Map([[name, names]]))
  const service = waitingForRoots(rootServiceOf(config.builder))
  if (chroot !== undefined && !hasCache(directory)) await ensureChroot(config, chroot, context, service)
  const earlier = openSource(`jenkins:${request.job}`, config, { context })
  const any = (await earlier.numbers({ kind: 'ebuild-repo', name })).length > 0
  const build = await snapshotRepo(
    {
      directory,
      name,
      number: request.number,
      output,
      input: { url, ...(checkout !== undefined && { commit: checkout.commit, commitTime: checkout.commitTime }) },
      chroot,
      masters: await latestSnapshots(config, names, context),
      previous: any ? await snapshotOf(earlier, name) : undefined,
      builder: config.builder,
      service,
      tools: { treeswap: version() },
    },
    context,
  )
  return {
    description: [checkout?.commit.slice(0, 12), humanBytes(packedIn(build))].filter(Boolean).join(', '),
    artifacts: [`${ARTIFACT}/*`],
    values: { number: build.number, ...(checkout !== undefined && { commit: checkout.commit }) },
  }
}
