import { type Bind, type RunRequest } from './requests.js'
import { RANGE } from './uid-ranges.js'

/** A bind whose directory was opened and checked, and is held open while the container runs. */
export interface PinnedBind extends Bind {
  /** device and inode, as `stat --format=%d:%i` prints them */
  identity: string
}

export interface ContainerPlan {
  uidBase: number
  /** mount options of the overlay, paths relative to the working directory */
  overlay: string
  /** where the overlay is mounted, relative to the working directory */
  mountPoint: string
  /** `cgroup.procs` files the container enters */
  cgroupProcs: readonly string[]
  request: RunRequest
  binds: readonly PinnedBind[]
  /** whether standard input is a terminal (interactive runs only) */
  terminal: boolean
}

/**
 * Runs as the first process of a PID and a mount namespace of its own, in the root's top directory, with a control
 * channel at descriptor 3. Arguments: cgroup.procs files, `--`, overlay options and mount point, identity, path and
 * target of each bind, `--`, then the container's command line.
 *
 * The first write fails when the caller has died already: from there on the parent-death signal is armed.
 * /run/systemd/nspawn gets a tmpfs because nspawn fails at the end where it is on a disk.
 *
 * The directories to bind can be moved and replaced by links at any moment. A descriptor that was opened outside names
 * a mount of another namespace, which mount(2) refuses. So each is entered, however its path leads now; where that is
 * the very directory that was checked, it is mounted from inside of it, and nspawn is given that mount.
 *
 * nspawn mounts by path, as root of the host. A link in the root could lead it through a directory that was mounted
 * before, where the next component can become a link into the host at that moment. So no target has a link in it.
 */
const PLACES = '/run/systemd/nspawn/treeswap-bind-'
const PROLOGUE = `set -eu
echo started >&3
while [ "$1" != -- ]; do echo 0 > "$1"; shift; done
shift
mount -t tmpfs -o mode=755,size=1m tmpfs /run/systemd/nspawn
mount -t overlay -o "$1" overlay "$2"
merged=$(pwd -P)/$2
shift 2
number=0
while [ "$1" != -- ]; do
  case $3 in
    /run/*) [ ! -L "$merged/run" ] ;;
    *) [ "$(cd -P "$merged$3" 2> /dev/null && pwd -P)" = "$merged$3" ] ;;
  esac || {
    echo "target $3" >&3
    exit 1
  }
  place=${PLACES}$number
  mkdir "$place"
  ( cd -P "$2" && [ "$(stat --format=%d:%i .)" = "$1" ] && mount --no-canonicalize --bind . "$place" ) || {
    echo "moved $2" >&3
    exit 1
  }
  number=$((number + 1))
  shift 3
done
shift
command -v "$1" > /dev/null || { echo "$1 is not installed" >&2; exit 1; }
set +e
`
/**
 * The output goes through a pipe of the shell's own that everyone may open: Node's are sockets, and a program inside
 * could not open /dev/stdout or /dev/stderr.
 */
const COLLECT = `${PROLOGUE}{ chmod 0666 /proc/self/fd/1; "$@" 3>&-; echo "exit $?" >&3; } 2>&1 | exec cat 3>&-
`
const CONNECT = `${PROLOGUE}"$@" 3>&-
echo "exit $?" >&3
`

/**
 * The whole command line of a container: killing the caller, or the first process in it, takes all processes and
 * mounts with it.
 */
export function containerCommand(plan: ContainerPlan): { file: string; args: string[] } {
  const { cgroupProcs, overlay, mountPoint, request, binds } = plan
  return {
    file: 'setpriv',
    args: [
      ...['--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private'],
      ...['--pid', '--fork', '--kill-child=SIGKILL', '--mount-proc'],
      ...['sh', '-c', request.interactive ? CONNECT : COLLECT, 'treeswap-container'],
      ...cgroupProcs,
      '--',
      overlay,
      mountPoint,
      ...binds.flatMap(({ identity, source, target }) => [identity, source, target]),
      '--',
      ...nspawnCommand(plan),
    ],
  }
}

/**
 * A user namespace over the root's own uid range: the container's root is nobody on the host, cannot make device
 * nodes and cannot remount a read-only bind.
 */
function nspawnCommand({ uidBase, mountPoint, request, binds, terminal }: ContainerPlan): string[] {
  const { argv, env, network, interactive } = request
  return [
    'systemd-nspawn',
    '--quiet',
    '--settings=no',
    `--directory=${mountPoint}`,
    '--machine=treeswap',
    `--private-users=${uidBase}:${RANGE}`,
    '--private-users-ownership=off',
    '--as-pid2',
    `--console=${interactive && terminal ? 'interactive' : 'pipe'}`,
    '--register=no',
    '--keep-unit',
    '--timezone=off',
    '--link-journal=no',
    `--resolv-conf=${network ? 'bind-host' : 'off'}`,
    ...(network ? [] : ['--private-network']),
    ...binds.map(bindOption),
    ...Object.entries(env).map(([name, value]) => `--setenv=${name}=${value}`),
    '--',
    ...argv,
  ]
}

function bindOption({ target, writable }: Bind, number: number): string {
  return `--bind${writable ? '' : '-ro'}=${PLACES}${number}:${escapePath(target)}`
}

/** systemd-nspawn(1), --bind=: backslash escapes are interpreted, so `\:` is a colon. */
function escapePath(path: string): string {
  return path.replace(/[\\:]/g, '\\$&')
}
