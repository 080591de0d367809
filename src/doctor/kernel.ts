import { exists, listDirectory, readTextIfThere } from '../system/files.js'
import { run, runAny } from '../system/process.js'
import { fail, ok, warn } from './finding.js'
import type { Finding } from './finding.js'
import type { RootAccess } from './root.js'

/** What builds need of the kernel. @param by who does the work that needs root */
export async function checkKernel(by: RootAccess['by']): Promise<Finding[]> {
  const root = by === 'this process'
  return [
    await checkPropagation(by !== 'nobody'),
    await checkUserNamespaces(root),
    await checkOverlay(root),
    checkControlGroups(),
  ]
}

/** systemd-nspawn fails at its end where /run/systemd/nspawn is on a disk. */
async function checkPropagation(root: boolean): Promise<Finding> {
  const name = '/run/systemd/nspawn'
  const type = await runAny('stat', ['--file-system', '--format=%T', '/run']).then(
    ({ stdout }) => stdout.trim(),
    () => '',
  )
  if (type === 'tmpfs') return ok('build', name, '/run is a tmpfs')
  const mounted = (readTextIfThere('/proc/self/mountinfo') ?? '').includes(` ${name} `)
  if (mounted) return ok('build', name, 'is a mount of its own')
  return root
    ? ok('build', name, `/run is on ${type || 'a disk'}: each build mounts a tmpfs there in a namespace of its own`)
    : fail('build', name, `/run is on ${type || 'a disk'}`, `mount -t tmpfs tmpfs ${name}`)
}

async function checkUserNamespaces(root: boolean): Promise<Finding> {
  const name = 'user namespaces'
  const maximum = readTextIfThere('/proc/sys/user/max_user_namespaces')?.trim()
  if (maximum === undefined) return fail('build', name, 'the kernel has none', 'use a kernel with CONFIG_USER_NS')
  if (maximum === '0') return fail('build', name, 'are switched off', 'sysctl -w user.max_user_namespaces=10000')
  if (!root) return ok('build', name, `up to ${maximum}`)
  const { exitCode, stderr } = await probe(['unshare', '--user', '--map-root-user', 'true'])
  return exitCode === 0
    ? ok('build', name, `up to ${maximum}`)
    : fail('build', name, stderr.trim(), 'allow them: in a container, by the options of what runs it')
}

async function checkOverlay(root: boolean): Promise<Finding> {
  const name = 'overlayfs'
  const there = /\boverlay$/m.test(readTextIfThere('/proc/filesystems') ?? '')
  if (!root) {
    return there
      ? ok('build', name, 'the kernel has it')
      : warn('build', name, 'is not loaded; whether it can be is known to root only', 'modprobe overlay')
  }
  const script =
    'mount -t tmpfs tmpfs "$0" && cd "$0" && mkdir lower upper work merged && ' +
    'mount -t overlay overlay -o lowerdir=lower,upperdir=upper,workdir=work,redirect_dir=on,index=off,metacopy=off merged'
  const { exitCode, stderr } = await probe([
    'unshare',
    '--mount',
    '--propagation',
    'private',
    'sh',
    '-ec',
    script,
    '/tmp',
  ])
  return exitCode === 0
    ? ok('build', name, 'can be mounted')
    : fail('build', name, `cannot be mounted: ${stderr.trim()}`, 'modprobe overlay; in a container, run it privileged')
}

/** Memory and processes of a build are limited by control groups. */
function checkControlGroups(): Finding {
  const name = 'control groups'
  const second = readTextIfThere('/sys/fs/cgroup/cgroup.controllers')
  const controllers =
    second === undefined ? listDirectory('/sys/fs/cgroup').map((entry) => entry.name) : second.trim().split(' ')
  const missing = ['memory', 'pids'].filter((controller) => !controllers.includes(controller))
  const which = second === undefined ? 'version 1' : 'version 2'
  if (missing.length === 0) return ok('build', name, `${which} with memory and pids`)
  return warn(
    'build',
    name,
    exists('/sys/fs/cgroup') ? `${which} without ${missing.join(' and ')}` : 'are not mounted',
    `limits of memory and processes cannot be kept: boot with cgroup_enable=memory, or mount /sys/fs/cgroup`,
  )
}

async function probe([file = '', ...args]: string[]): Promise<{ exitCode: number; stderr: string }> {
  try {
    await run(file, args)
    return { exitCode: 0, stderr: '' }
  } catch (error) {
    return { exitCode: 1, stderr: error instanceof Error ? error.message : String(error) }
  }
}
