import { join } from 'node:path'
import type { BuilderDirectories } from '../agent/directories.js'
import type { RootService } from '../chroot/requests.js'
import type { PacmanConfig } from '../config/pacman.js'
import type { Clones } from '../git/clones.js'
import { TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { listDirectory, removeTree } from '../system/files.js'
import { keptSources } from './kept-sources.js'
import type { RepoPlan } from './plan-repo.js'
import { removeLent } from './remove-lent.js'

/**
 * Removes what belongs to no recipe of a repo any more: checkouts, sources and logs. Where something could not be read,
 * nothing: whose it is, is not known then. What cannot be removed is told, and is no error.
 * @throws ABORTED
 */
export async function sweep(
  { name, chroot }: Pick<PacmanConfig, 'name' | 'chroot'>,
  { recipes, broken }: Pick<RepoPlan, 'recipes' | 'broken'>,
  clones: Clones,
  { distfiles, logs }: Pick<BuilderDirectories, 'distfiles' | 'logs'>,
  service: RootService,
  context: Context,
): Promise<void> {
  if (broken.length > 0) return
  try {
    for (const one of others(clones.directory, (clone) => clones.used.has(clone))) removeTree(one)
    for (const one of others(join(logs, name), (file) => recipes.has(file.replace(/\.log$/, '')))) removeTree(one)
    const kept = new Set([...recipes].map(([base, recipe]) => keptSources(base, recipe)))
    const sources = others(join(distfiles, chroot, name), (one) => kept.has(one))
    await removeLent(sources, chroot, service, context)
  } catch (error) {
    if (error instanceof TreeswapError && error.category === 'aborted') throw error
    const why = error instanceof Error ? error.message : String(error)
    context.report.warn(`what ${name} no longer needs could not be removed: ${why}`)
  }
}

function others(directory: string, isNeeded: (name: string) => boolean): string[] {
  return listDirectory(directory).flatMap(({ name }) => (isNeeded(name) ? [] : [join(directory, name)]))
}
