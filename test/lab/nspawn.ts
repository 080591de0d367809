/** Runs programs in a root that plays a Gentoo machine. Independent of src/chroot on purpose: clients are not built by it. */
import { runAny } from '../../src/system/process.js'

export interface InRoot {
  env?: Record<string, string>
  /** host path → path in the root */
  binds?: Record<string, string>
  onLine?: (line: string) => void
  signal?: AbortSignal
}

export interface Ran {
  exitCode: number
  lines: string[]
}

/** nspawn wants a tmpfs there; whatever is mounted vanishes with the namespace. */
const prepare = 'mkdir -p /run/systemd/nspawn && mount -t tmpfs tmpfs /run/systemd/nspawn && exec "$@"'

/** Runs argv to its end with the host's network. Killing this process kills all of it. */
export async function runInRoot(root: string, argv: readonly string[], options: InRoot = {}): Promise<Ran> {
  const { env = {}, binds = {}, onLine, signal } = options
  const lines: string[] = []
  const { exitCode } = await runAny(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private'],
      ...['--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc', 'sh', '-c', prepare, 'sh'],
      ...['systemd-nspawn', '--quiet', '--register=no', '--keep-unit', '--as-pid2', '--console=pipe'],
      ...['--resolv-conf=off', '--timezone=off', '--link-journal=no', '--directory', root],
      ...Object.entries(binds).map(([host, inside]) => `--bind=${host}:${inside}`),
      ...Object.entries({ LC_ALL: 'C.UTF-8', NOCOLOR: 'true', ...env }).map(
        ([name, value]) => `--setenv=${name}=${value}`,
      ),
      '--',
      ...argv,
    ],
    {
      onLine: (line) => {
        lines.push(line)
        onLine?.(line)
      },
      ...(signal !== undefined && { signal }),
    },
  )
  return { exitCode, lines }
}
