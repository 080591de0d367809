import type { RootService } from '../chroot/requests.js'
import type { Config } from '../config/config.js'
import { TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { targetStatusOf } from '../system/files.js'
import { rootServiceOf } from './root-service-of.js'

/** Makes a root from where the configuration (here, or that of the root program) says, unless it is there. */
export async function ensureChroot(
  config: Config,
  name: string,
  context: Context,
  service: RootService = rootServiceOf(config.builder),
): Promise<void> {
  const from = config.chroots.get(name)?.from
  // where nobody says from what, it is made by hand
  if (from === undefined && !service.knowsOrigins) return
  if ((await service.list()).some((chroot) => chroot.name === name)) return
  try {
    await service.create({ name, ...(from !== undefined && { from: originOf(from) }) }, context)
  } catch (error) {
    // another job may have made it in the meantime
    if (!(error instanceof TreeswapError) || error.code !== 'CHROOT_EXISTS') throw error
  }
}

/** As a request to create a root names it. */
export function originOf(from: string): { directory: string } | { tarball: string } {
  return (targetStatusOf(from)?.isDirectory() ?? false) ? { directory: from } : { tarball: from }
}
