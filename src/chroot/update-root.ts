import { buildError, configurationError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import type { RootService, RunRequest, Session } from './requests.js'

/** Of the output, kept for the error. */
const LAST_LINES = 20

const PACMAN = ['pacman', '-Syu', '--noconfirm']

/** Packages that pacman has downloaded, and keeps where it was told to, would stay in the root's layer for ever. */
const FORGET = `command -v pacman-conf > /dev/null || exit 0
pacman-conf CacheDir | while read -r cache; do
  find "$cache" -xdev -mindepth 1 -maxdepth 1 ! -type d -name '*.pkg.tar*' -delete
done`

/**
 * Brings a root up to date: runs a command in it, with the host's network, and keeps what it did only when it ended
 * with 0.
 * @param command program and arguments; empty: what the root's own package manager needs, where that is pacman
 * @returns the command that was run
 * @throws CHROOT_UPDATE_FAILED, CHROOT_UPDATE_UNKNOWN, and what an exclusive session throws
 */
export async function updateRoot(
  service: RootService,
  { name, command }: { name: string; command: readonly string[] },
  context: Context,
): Promise<string[]> {
  return service.session(name, context, async (session) => {
    const argv = command.length > 0 ? [...command] : await ownCommand(session, name)
    context.report.step(`updating the chroot ${name}: ${argv.join(' ')}`)
    const lines: string[] = []
    const code = await session.run(request(argv), (line) => {
      context.report.line(line)
      lines.push(line)
      if (lines.length > LAST_LINES) lines.shift()
    })
    if (code !== 0) throw failed(name, argv, code, lines)
    // what is in the way of nobody is no reason to give up an update
    await session.run({ ...request(['/bin/sh', '-c', FORGET]), network: false }, () => undefined)
    await session.commit()
    return argv
  })
}

async function ownCommand(session: Session, name: string): Promise<string[]> {
  const probe = { ...request(['/bin/sh', '-c', 'command -v pacman']), network: false }
  if ((await session.run(probe, () => undefined)) === 0) return PACMAN
  throw configurationError(
    'CHROOT_UPDATE_UNKNOWN',
    `nothing says how the chroot ${name} is updated: there is no pacman in it`,
    `name the command: treeswap chroot update ${name} -- COMMAND; a root in which Portage builds is updated by its builds`,
  )
}

function request(argv: string[]): RunRequest {
  return { argv, env: { TERM: 'dumb', NO_COLOR: '1' }, binds: [], network: true, limits: {} }
}

function failed(name: string, argv: readonly string[], code: number, lines: readonly string[]): Error {
  const said = lines.length === 0 ? 'it said nothing' : `the end of its output:\n${lines.join('\n')}`
  return buildError(
    'CHROOT_UPDATE_FAILED',
    `the chroot ${name} was not updated: ${argv.join(' ')} ended with ${code}; ${said}`,
    `the root is as it was before; look around in it with \`treeswap chroot shell ${name}\`, then update it again`,
  )
}
