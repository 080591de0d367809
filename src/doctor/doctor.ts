import type { ChrootConfig } from '../config/config.js'
import type { KeyConfig } from '../config/keys.js'
import { ROOT_PROGRAM } from '../config/schema.js'
import type { Context } from '../model/report.js'
import { runAny } from '../system/process.js'
import { checkChroots } from './chroots.js'
import { checkFileSystem } from './file-systems.js'
import { fail, ok, warn } from './finding.js'
import type { Finding, Role } from './finding.js'
import { checkKernel } from './kernel.js'
import { checkKeys } from './keys.js'
import { checkRoot } from './root.js'
import { checkTools, isOlder } from './tools.js'

export interface DoctorRequest {
  roles: readonly Role[]
  /** the publisher's directory */
  root: string
  /** the builder's directory */
  builder: string
  /** of the configuration */
  chroots: readonly ChrootConfig[]
  /** names of the chroots that machines are built in */
  used?: readonly string[]
  /** what does for others what needs root */
  rootProgram?: readonly string[]
  /** that sign trees */
  keys?: readonly KeyConfig[]
}

const OLDEST_NODE = '20.19'

/** What this host has and lacks for its roles, role by role. A finding `fail` means that the role cannot be done. */
export async function examine(
  { roles, root, builder, chroots, used = [], rootProgram = [ROOT_PROGRAM], keys = [] }: DoctorRequest,
  context: Context,
): Promise<Finding[]> {
  const findings: Finding[] = []
  for (const role of roles) {
    findings.push(...(role === 'serve' ? [] : [checkNode(role)]), ...(await checkTools(role)))
    if (role === 'build') {
      const { by, finding } = await checkRoot(rootProgram, used)
      findings.push(finding, ...(await checkKernel(by)), ...checkFileSystem(role, 'builder', builder))
      // the root program has origins of its own, which only root may see
      if (by !== 'root program') findings.push(...checkChroots(chroots, builder))
    }
    if (role === 'publish') findings.push(...checkFileSystem(role, 'store', root), ...(await checkKeys(keys, context)))
    if (role === 'serve') findings.push(await checkChroot())
  }
  return findings
}

function checkNode(role: Role): Finding {
  const { node } = process.versions
  return isOlder(node, OLDEST_NODE)
    ? fail(role, 'node', `${node} is older than ${OLDEST_NODE}`, 'install Node.js 20.19 or later (nodejs.org)')
    : ok(role, 'node', node)
}

/** Without chroot(2) rsync's daemon mixes two generations in one connection. */
async function checkChroot(): Promise<Finding> {
  const name = "rsync's chroot"
  if (process.geteuid?.() !== 0) {
    return warn('serve', name, 'whether it can be used is known to root only', 'let root start the rsync daemon')
  }
  const { exitCode, stderr } = await runAny('chroot', ['/', 'true'])
  return exitCode === 0
    ? ok('serve', name, 'can be used')
    : fail('serve', name, `cannot be used: ${stderr.trim()}`, 'give the container the capability CAP_SYS_CHROOT')
}
