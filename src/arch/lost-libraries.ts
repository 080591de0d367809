import { baseEnvironment } from '../chroot/base-environment.js'
import type { RootService, Session } from '../chroot/requests.js'
import { buildError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { LIST_LIBRARIES, parseLibrary, withoutClass } from './linker-cache.js'

/** What is asked of a root here takes no longer than this. */
const LIMITS = { processes: 512, seconds: 1800 }

/** A package from outside of the tree that is not what it was when others were built with it. */
export interface ChangedPackage {
  name: string
  /** whether the root has it installed now */
  installed: boolean
  /** whether a repo that the root knows has it now */
  available: boolean
  /** sonames that it had, with the ELF class */
  libraries: readonly string[]
}

export interface LostLibraries {
  /** sonames that are neither in the root nor in what these packages are now */
  lost: Set<string>
  /** names of packages that could not be looked into: what is lost of them is not known */
  unknown: string[]
}

/**
 * Which libraries went away when packages changed. The root itself is asked what it has; a package that it has not
 * is installed in a layer of its own, which is dropped.
 * @throws ROOT_UNUSABLE, and what a scratch session throws
 */
export async function lostLibraries(
  changed: readonly ChangedPackage[],
  chroot: string,
  service: RootService,
  context: Context,
): Promise<LostLibraries> {
  return await service.scratch(chroot, context, async (session) => {
    const unknown = new Set<string>()
    for (const { name, available } of changed.filter(({ installed }) => !installed)) {
      context.report.step(`looking into ${name} for libraries`)
      if (!(await install(session, name)) && available) unknown.add(name)
    }
    const sonames = changed.filter(({ name }) => !unknown.has(name)).flatMap(({ libraries }) => libraries)
    const there = await present(session, chroot, sonames)
    return { lost: new Set(sonames.filter((soname) => !there.has(soname))), unknown: [...unknown] }
  })
}

/** The package alone, or one that replaces it, as the repos say. */
async function install(session: Session, name: string): Promise<boolean> {
  const options = ['--noconfirm', '--noprogressbar', '--noscriptlet', '--asdeps', '-dd']
  const argv = ['pacman', '-S', ...options, '--', name]
  const code = await session.run(
    { argv, env: { ...baseEnvironment }, binds: [], network: true, limits: LIMITS },
    () => undefined,
  )
  return code === 0
}

async function present(session: Session, chroot: string, sonames: readonly string[]): Promise<Set<string>> {
  const argv = ['sh', '-c', `set -e\n${LIST_LIBRARIES}`, 'treeswap-libraries', ...withoutClass(sonames)]
  const lines: string[] = []
  const request = { argv, env: { ...baseEnvironment }, binds: [], network: false, limits: LIMITS }
  const code = await session.run(request, (line) => lines.push(line))
  if (code === 0) return new Set(lines.flatMap((line) => parseLibrary(line)?.soname ?? []))
  throw buildError(
    'ROOT_UNUSABLE',
    `ldconfig in the chroot ${chroot} ended with ${code}: ${lines.slice(-3).join(' | ')}`,
    'see whether it is the root of an Arch system: `treeswap chroot shell`',
  )
}
