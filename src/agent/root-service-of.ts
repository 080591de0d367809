import { isRoot } from '../chroot/caller.js'
import { remoteRootService } from '../chroot/remote-service.js'
import type { RootService } from '../chroot/requests.js'
import { openRootService } from '../chroot/root-service.js'
import type { BuilderConfig } from '../config/config.js'
import { builderDirectories } from './directories.js'

/** Root does the work in chroots itself; another user has it done by the root program. */
export function rootServiceOf({
  directory,
  rootProgram,
}: Pick<BuilderConfig, 'directory' | 'rootProgram'>): RootService {
  return isRoot() ? openRootService(builderDirectories(directory).chroots) : remoteRootService(rootProgram)
}
