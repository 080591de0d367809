import { configurationError, infrastructureError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { makeDirectory } from '../system/files.js'
import { tryLock } from '../system/lock.js'
import { clearPlace, usedScratchPlaces } from './layers.js'
import { type RootPaths, scratchPlace, type ScratchPlace } from './layout.js'
import { LockedSession } from './session.js'

/** A session whose changes never become part of the root. */
export class ScratchSession extends LockedSession {
  override commit(): Promise<void> {
    return Promise.reject(
      configurationError(
        'COMMIT_REFUSED',
        `what is done in a scratch session never becomes part of the chroot ${this.root.name}`,
        'change a chroot in an exclusive session (`treeswap chroot update`, `treeswap chroot shell --commit`)',
      ),
    )
  }

  protected override async undo(): Promise<void> {
    await clearPlace(this.place)
  }
}

/**
 * Gives `use` an empty place that nobody else has until it is done, and removes what killed scratch sessions left in
 * others. Places are numbered, the lowest free one is taken, and their locks are never removed: so whoever has a
 * place's lock knows that nobody lives there. To be called under the root's shared lock.
 * @param most how many places may be in use at a time
 * @throws CHROOT_BUSY, CONTAINER_ALIVE, ABORTED, and what `use` throws
 */
export async function inScratchPlace<T>(
  paths: RootPaths,
  { name, most }: { name: string; most: number },
  context: Context,
  use: (place: ScratchPlace) => Promise<T>,
): Promise<T> {
  makeDirectory(paths.scratch)
  const options = { what: `a place in the chroot ${name}`, signal: context.signal }
  for (let number = 1; number <= most; number++) {
    const place = scratchPlace(paths, number)
    const done = await tryLock(place.lock, options, async () => {
      await clearPlace(place)
      for (const other of usedScratchPlaces(paths)) {
        if (other.name === place.name) continue
        // what a killed session left in the way of nobody is no reason to stop
        const cleared = tryLock(other.lock, options, () => clearPlace(other))
        await cleared.catch((error: unknown) => context.report.warn(String(error)))
      }
      return use(place)
    })
    if (done !== undefined) return done.value
  }
  throw infrastructureError(
    'CHROOT_BUSY',
    `${most} scratch sessions of the chroot ${name} are running, and no more are allowed at a time`,
    `wait for one of them to end, or let the administrator raise chroots.${name}.scratch in root.yaml`,
  )
}
