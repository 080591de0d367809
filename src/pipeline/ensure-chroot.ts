import { openRootService } from '../chroot/root-service.js'
import type { Config } from '../config/config.js'
import type { Context } from '../model/report.js'
import { targetStatusOf } from '../system/files.js'
import { builderDirectories } from './directories.js'

/** Makes a root from where the configuration says, unless it is there or is made by hand. */
export async function ensureChroot(config: Config, name: string, context: Context): Promise<void> {
  const service = openRootService(builderDirectories(config.builder.directory).chroots)
  const from = config.chroots.get(name)?.from
  if (from === undefined || service.list().some((chroot) => chroot.name === name)) return
  const isDirectory = targetStatusOf(from)?.isDirectory() ?? false
  await service.create({ name, from: isDirectory ? { directory: from } : { tarball: from } }, context)
}
