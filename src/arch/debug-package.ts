import type { PackageRecord } from '../model/pacman-package.js'

/**
 * Whether makepkg made it of another package's debug symbols, beside those that the recipe names. Since 6.1 it says so
 * itself (`xdata = pkgtype=debug`); before, only the name tells (makepkg, create_debug_package).
 */
export function isDebug({ info: { name, base, type } }: PackageRecord): boolean {
  return type === undefined ? name === `${base}-debug` : type === 'debug'
}
