import { join } from 'node:path'
import { builderDirectories } from '../agent/directories.js'
import { rootServiceOf } from '../agent/root-service-of.js'
import type { KeyringPackage } from '../arch/keyring-package.js'
import type { Context } from '../model/report.js'
import { listDirectory, makeDirectory, removeTree } from '../system/files.js'
import { withLock } from '../system/lock.js'
import type { RepoPlan } from './plan-repo.js'
import { prepare } from './prepare-repo.js'
import type { RepoRequest } from './prepare-repo.js'
import { removeLent } from './remove-lent.js'
import { isNewKeyring } from './repo-keyring.js'

/** Seconds that one plan waits for another one of the same repo. */
const PATIENCE = 600

/**
 * What would be built of a pacman repo, and why, found out beside whatever builds it: with clones, a work directory and a
 * lock of its own. What both use is named by its content, and replaced as one step.
 * @throws LOCKED where other plans take too long, and what planRepo throws
 */
export async function planAside(
  request: RepoRequest,
  context: Context,
): Promise<RepoPlan & { newKeyring: KeyringPackage | undefined }> {
  const { repo, builder } = request
  const all = builderDirectories(builder.directory)
  const work = join(all.work, 'plans', repo.name)
  const lock = { what: `the plan of ${repo.name}`, wait: PATIENCE, signal: context.signal }
  return await withLock(join(all.locks, `plan-${repo.name}.lock`), lock, async () => {
    const service = request.service ?? rootServiceOf(builder)
    // what a killed plan left
    const dead = listDirectory(work).map(({ name }) => join(work, name))
    await removeLent(dead, repo.chroot, service, context)
    makeDirectory(work)
    const directories = { ...all, work, git: join(all.git, 'plans') }
    const { plan, before, keyring, clones } = await prepare(request, directories, service, context)
    const others = listDirectory(clones.directory).filter(({ name }) => !clones.used.has(name))
    if (plan.broken.length === 0) for (const { name } of others) removeTree(join(clones.directory, name))
    return { ...plan, newKeyring: isNewKeyring(keyring, before) ? keyring : undefined }
  })
}
