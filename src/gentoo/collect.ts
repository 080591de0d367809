import { buildError } from '../model/errors.js'
import { packagePath } from '../model/packages-index.js'
import type { EmergeEvents } from './emerge-output.js'
import type { Installed } from './installed.js'
import { matchPackages } from './match-packages.js'
import { readIndex, takePackages, writeIndex } from './package-directory.js'
import type { RunDirectory } from './run-directory.js'
import { listInstalled, packageInstalled } from './world-session.js'
import type { WorldSession } from './world-session.js'

/**
 * Sees that everything installed has a binary package, and takes exactly these over, with an index of their own.
 * @returns Portage's version
 * @throws PACKAGE_UNPACKED, WORLD_UNSATISFIED, LIBRARIES_PRESERVED
 */
export async function collectPackages(
  world: WorldSession,
  run: RunDirectory,
  unpackaged: 'quickpkg' | 'rebuild',
  events: EmergeEvents,
): Promise<string> {
  const { context } = world
  let installed = await listInstalled(world)
  requireWhole(installed)
  let match = matchPackages(installed.packages, readIndex(run.container.packages).stanzas)
  if (match.unpackaged.length > 0) {
    context.report.step(`packing ${match.unpackaged.length} packages that the root came with`)
    await packageInstalled(world, match.unpackaged, unpackaged, events)
    installed = await listInstalled(world)
    match = matchPackages(installed.packages, readIndex(run.container.packages).stanzas)
  }
  await world.session.reclaim(run.container.packages)
  const taken = takePackages(run.container.packages, match.packaged, run.packages)
  const names = [
    ...match.unpackaged.map(({ cpv }) => cpv),
    ...match.packaged.filter((stanza) => !taken.includes(stanza)).map(packagePath),
  ]
  if (names.length > 0) {
    throw buildError(
      'PACKAGE_UNPACKED',
      `no binary package could be made of what is installed in the chroot: ${names.join(', ')}`,
      'set `unpackaged: rebuild` for the machine, or remove the package from the chroot',
    )
  }
  writeIndex(run.packages, readIndex(run.container.packages).header, match.packaged)
  return installed.portageVersion
}

/** emerge ends with 0 also where it could not give the world what it asks for. */
function requireWhole({ unsatisfied, preserved }: Installed): void {
  if (unsatisfied.length > 0) {
    throw buildError(
      'WORLD_UNSATISFIED',
      `the world asks for ${unsatisfied.join(', ')}, and emerge has not installed it`,
      'see in the log whether it is misspelt, masked or has no keyword for this machine; mend world or the profile',
    )
  }
  if (preserved.length > 0) {
    throw buildError(
      'LIBRARIES_PRESERVED',
      `programs still need libraries of replaced packages: ${preserved.join(', ')}`,
      'clients would not have them: add @preserved-rebuild to `after` of the machine, or rebuild what needs them',
    )
  }
}
