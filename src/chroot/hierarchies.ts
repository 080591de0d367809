import { join } from 'node:path'

/** Where control groups can be made: directories of this host. */
export interface Hierarchies {
  /** one tree for everything (cgroup v2) */
  unified?: { directory: string; controllers: boolean }
  /** controller or `name=systemd` → the group this process is in (cgroup v1) */
  legacy: Map<string, string>
}

/**
 * Reads where this process may make control groups.
 * @param mountinfo text of /proc/self/mountinfo (proc_pid_mountinfo(5))
 * @param membership text of /proc/self/cgroup (cgroups(7))
 */
export function parseHierarchies(mountinfo: string, membership: string): Hierarchies {
  const own = new Map(
    membership.split('\n').flatMap((line) => {
      const [, names, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? []
      return names === undefined || path === undefined ? [] : names.split(',').map((name) => [name, path] as const)
    }),
  )
  const result: Hierarchies = { legacy: new Map() }
  for (const line of mountinfo.split('\n')) {
    const [before = '', after = ''] = line.split(' - ')
    const [, , , root = '', point = ''] = before.split(' ')
    const [type, , options = ''] = after.split(' ')
    if (type === 'cgroup2') result.unified = { directory: point, controllers: point === '/sys/fs/cgroup' }
    if (type !== 'cgroup') continue
    for (const name of options.split(',')) {
      const path = own.get(name)
      if (path !== undefined) result.legacy.set(name, join(point, below(root, path)))
    }
  }
  return result
}

/** A group's path as seen through a mount whose top is `root`. */
function below(root: string, path: string): string {
  return root !== '/' && (path === root || path.startsWith(root + '/'))
    ? path.slice(root.length)
    : root === '/'
      ? path
      : '/'
}
