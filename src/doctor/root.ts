import { isRoot } from '../chroot/caller.js'
import { askRootProgram } from '../chroot/remote-service.js'
import { TreeswapError } from '../model/errors.js'
import { version } from '../system/version.js'
import { fail, ok, warn } from './finding.js'
import type { Finding } from './finding.js'

/** Who does the work that needs root. */
export interface RootAccess {
  /** `nobody` where builds cannot be done at all */
  by: 'this process' | 'root program' | 'nobody'
  finding: Finding
}

/**
 * Whether this process is root, or may have the root program work for it.
 * @param used names of the chroots that machines are built in
 */
export async function checkRoot(program: readonly string[], used: readonly string[]): Promise<RootAccess> {
  if (isRoot()) return { by: 'this process', finding: ok('build', 'root', 'this process is root') }
  try {
    return withProgram(program, used, await askRootProgram(program))
  } catch (error) {
    if (!(error instanceof TreeswapError)) throw error
    const message = `this process is not root, and has no root program: ${error.message}`
    const hint = error.code === 'PROGRAM_MISSING' ? 'apt-get install sudo' : error.hint
    return { by: 'nobody', finding: fail('build', 'root', message, `${hint}; or run builds as root`) }
  }
}

function withProgram(
  program: readonly string[],
  used: readonly string[],
  { version: its, allowed }: { version: string; allowed: string[] },
): RootAccess {
  const by = 'root program'
  const name = program[0] ?? ''
  const missing = used.filter((chroot) => !allowed.includes(chroot))
  if (missing.length > 0) {
    const message = `${name} does not allow the chroots ${missing.join(', ')}`
    return { by, finding: fail('build', 'root', message, 'let the administrator add them under chroots in root.yaml') }
  }
  if (its !== version()) {
    const message = `${name} is of treeswap ${its}, this is ${version()}: they understand each other`
    return { by, finding: warn('build', 'root', message, 'let the administrator install the one of this version') }
  }
  const chroots = allowed.length === 0 ? 'no chroots yet' : allowed.join(', ')
  return { by, finding: ok('build', 'root', `${name} ${its} does what needs root, in ${chroots}`) }
}
