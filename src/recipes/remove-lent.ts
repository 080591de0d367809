import { removeForeign } from '../chroot/layers.js'
import type { RootService } from '../chroot/requests.js'
import type { Context } from '../model/report.js'
import { statusOf } from '../system/files.js'

/**
 * Removes directories that containers of a root may have written to: what belongs to their users, who are not those of
 * the host, is taken back before. No container may be running in them.
 * @throws what a scratch session throws; nothing where none of them is there
 */
export async function removeLent(
  directories: readonly string[],
  chroot: string,
  service: RootService,
  context: Context,
): Promise<void> {
  const there = directories.filter((directory) => statusOf(directory) !== undefined)
  if (there.length === 0) return
  await service.scratch(chroot, context, async (session) => {
    for (const directory of there) if (statusOf(directory)?.isDirectory() === true) await session.reclaim(directory)
  })
  await removeForeign(...there)
}
