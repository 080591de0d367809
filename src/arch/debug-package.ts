import type { PackageRecord } from '../model/pacman-package.js'

/**
 * Whether makepkg made it of another package's debug symbols, beside those that the recipe names (makepkg,
 * create_debug_package). Since 6.1 it says so itself (`xdata = pkgtype=debug`), which a recipe can say of anything: it
 * counts only under the name that makepkg gives.
 */
export function isDebug({ info: { name, base, type } }: PackageRecord): boolean {
  return name === `${base}-debug` && (type === undefined || type === 'debug')
}
