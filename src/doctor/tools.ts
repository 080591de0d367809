import { runAny } from '../system/process.js'
import { fail, ok, warn } from './finding.js'
import type { Finding, Role } from './finding.js'

interface Tool {
  role: Role
  program: string
  /** arguments that make it print its version; default --version */
  version?: string[]
  /** Debian's package */
  package: string
  /** the oldest version that is known to do */
  atLeast?: string
  /** role is served without it, by another program or in another way */
  optional?: string
}

const tools: Tool[] = [
  { role: 'build', program: 'systemd-nspawn', package: 'systemd-container', atLeast: '247' },
  { role: 'build', program: 'unshare', package: 'util-linux', atLeast: '2.34' },
  { role: 'build', program: 'setpriv', package: 'util-linux', atLeast: '2.34' },
  { role: 'build', program: 'mount', package: 'mount' },
  { role: 'build', program: 'git', package: 'git' },
  { role: 'build', program: 'tar', package: 'tar', atLeast: '1.28' },
  { role: 'build', program: 'zstd', package: 'zstd' },
  { role: 'build', program: 'xz', package: 'xz-utils', optional: 'without it no root can be made from a .tar.xz' },
  {
    role: 'build',
    program: 'ssh',
    version: ['-V'],
    package: 'openssh-client',
    optional: 'only publishing over SSH needs it',
  },
  { role: 'publish', program: 'zstd', package: 'zstd' },
  { role: 'publish', program: 'flock', package: 'util-linux' },
  { role: 'publish', program: 'sync', package: 'coreutils' },
  { role: 'publish', program: 'fuser', version: ['-V'], package: 'psmisc', optional: 'only hints name it' },
  { role: 'serve', program: 'rsync', package: 'rsync', atLeast: '3.2.7' },
  {
    role: 'serve',
    program: 'nginx',
    version: ['-v'],
    package: 'nginx-light',
    atLeast: '1.18',
    optional: 'caddy or a web server elsewhere does as well',
  },
  {
    role: 'serve',
    program: 'caddy',
    version: ['version'],
    package: 'caddy',
    optional: 'nginx or a web server elsewhere does as well',
  },
]

/** One of them is enough. */
const webServers = new Set(['nginx', 'caddy'])

/** Programs that are run, with their versions. */
export async function checkTools(role: Role): Promise<Finding[]> {
  const findings = await Promise.all(tools.filter((tool) => tool.role === role).map((tool) => checkTool(tool)))
  const hasWebServer = findings.some(({ name, status }) => webServers.has(name) && status === 'ok')
  return findings.filter(({ name, status }) => !(hasWebServer && webServers.has(name) && status === 'warn'))
}

async function checkTool({
  role,
  program,
  version = ['--version'],
  package: name,
  atLeast,
  optional,
}: Tool): Promise<Finding> {
  const install = `apt-get install ${name}`
  const text = await runAny(program, version).then(
    ({ stdout, stderr }) => `${stdout}\n${stderr}`,
    () => undefined,
  )
  if (text === undefined) {
    return optional === undefined
      ? fail(role, program, 'is not installed', install)
      : warn(role, program, `is not installed; ${optional}`, install)
  }
  const found = /(\d+(?:\.\d+)+|\b\d{3}\b)/.exec(text)?.[1] ?? 'of unknown version'
  if (atLeast !== undefined && /^\d/.test(found) && isOlder(found, atLeast)) {
    return warn(role, program, `${found} is older than ${atLeast}, which is known to work`, `upgrade it: ${install}`)
  }
  return ok(role, program, found)
}

export function isOlder(version: string, than: string): boolean {
  const [a, b] = [version, than].map((text) => text.split('.').map(Number))
  for (let index = 0; index < Math.max(a?.length ?? 0, b?.length ?? 0); index++) {
    const difference = (a?.[index] ?? 0) - (b?.[index] ?? 0)
    if (difference !== 0) return difference < 0
  }
  return false
}
