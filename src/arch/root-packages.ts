import { baseEnvironment } from '../chroot/base-environment.js'
import type { RootService } from '../chroot/requests.js'
import { buildError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { builder } from './recipe-container.js'

/** Exit code of what finds a root unfit to build in. */
const INCOMPLETE = 99

/** What is asked of a root here takes no longer than this. */
const LIMITS = { processes: 512, seconds: 600 }

/** What a pristine root has: package → version. */
export interface RootPackages {
  installed: ReadonlyMap<string, string>
  /** in the repos that it knows, as it knows them */
  available: ReadonlyMap<string, string>
}

/** What recipes are built with, whatever they are; tried as they are going to be used. */
const TRY = `lacks=
for one in pacman makepkg bsdtar useradd runuser; do command -v $one > /dev/null || lacks="$lacks $one"; done
grep -qs '!fakeroot' /etc/makepkg.conf || command -v fakeroot > /dev/null || lacks="$lacks fakeroot"
[ -z "$lacks" ] || { echo "it lacks$lacks"; exit ${INCOMPLETE}; }
id ${builder.user} > /dev/null 2>&1 || useradd --system ${builder.user} || exit ${INCOMPLETE}
runuser -u ${builder.user} -- makepkg --version > /dev/null || exit ${INCOMPLETE}
`

/** A root that has never heard of any repo has none. */
const LIST = `${TRY}pacman -Q && { pacman -Sl 2> /dev/null || :; }`

/**
 * Sees that recipes can be built in a root at all, and says what it has.
 * @throws ROOT_UNUSABLE, and what a scratch session throws
 */
export async function rootPackages(chroot: string, service: RootService, context: Context): Promise<RootPackages> {
  const lines = await ask(['sh', '-c', LIST], chroot, service, context)
  const installed = new Map<string, string>()
  const available = new Map<string, string>()
  for (const line of lines) {
    const [, name, version, inRepo] = /^([^ ]+) ([^ ]+)(?: ([^ ]+)(?: \[.*\])?)?$/.exec(line) ?? []
    if (name === undefined || version === undefined) continue
    if (inRepo === undefined) installed.set(name, version)
    // a line of -Sl begins with the repo; pacman takes a package from the first that has it
    else if (!available.has(version)) available.set(version, inRepo)
  }
  return { installed, available }
}

/** Prints what is neither installed nor in a repo that the root knows. */
const LACKING = `for one; do
  pacman -T -- "$one" > /dev/null 2>&1 || pacman -Sddp -- "$one" > /dev/null 2>&1 || printf 'lacks %s\\n' "$one"
done
`

/** Those of some dependencies that the root itself cannot give: neither installed nor in a repo that it knows. */
export async function lackingIn(
  dependencies: readonly string[],
  chroot: string,
  service: RootService,
  context: Context,
): Promise<string[]> {
  if (dependencies.length === 0) return []
  const lines = await ask(['sh', '-c', LACKING, 'treeswap-lacking', ...dependencies], chroot, service, context)
  return lines.flatMap((line) => /^lacks (.+)$/.exec(line)?.[1] ?? []).filter((one) => dependencies.includes(one))
}

async function ask(argv: string[], chroot: string, service: RootService, context: Context): Promise<string[]> {
  const lines: string[] = []
  const request = { argv, env: { ...baseEnvironment }, binds: [], network: false, limits: LIMITS }
  const code = await service.scratch(chroot, context, (session) => session.run(request, (line) => lines.push(line)))
  if (code === 0) return lines
  if (code === INCOMPLETE) {
    throw buildError(
      'ROOT_UNUSABLE',
      `no recipe can be built in the chroot ${chroot}: ${lines.slice(-3).join(' | ')}`,
      `install what it lacks: \`treeswap chroot update ${chroot} -- pacman -Sy --noconfirm base-devel\``,
    )
  }
  throw buildError(
    'ROOT_UNUSABLE',
    `pacman in the chroot ${chroot} ended with ${code}: ${lines.slice(-3).join(' | ')}`,
    'see whether it is the root of an Arch system: `treeswap chroot shell`',
  )
}
