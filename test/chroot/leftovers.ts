import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { sha256 } from '../../src/system/hash.js'

/** What the containers of one root have at this moment, on the whole host. */
export interface Leftovers {
  /** command lines of processes in the root's uid range */
  processes: string[]
  /** processes with an overlay mount whose upper layer is below the root */
  mounts: string[]
  groups: string[]
  /** in the places of sessions: upper layers, lists of control groups */
  files: string[]
}

export const nothingLeft: Leftovers = { processes: [], mounts: [], groups: [], files: [] }

/** @param top directory of the root */
export function leftoversOf({ top, name, uidBase }: { top: string; name: string; uidBase: number }): Leftovers {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))
  const isOurs = (uid: number): boolean => uid >= uidBase && uid < uidBase + 65_536
  return {
    processes: pids
      .filter((pid) => isOurs(Number(/^Uid:\t(\d+)/m.exec(text(`/proc/${pid}/status`))?.[1])))
      .map((pid) => text(`/proc/${pid}/cmdline`).split('\0').join(' ').trim())
      .filter((line) => line !== ''),
    mounts: pids
      .filter((pid) => /upperdir=(run|scratch\/\d+)\/upper/.test(text(`/proc/${pid}/mountinfo`)))
      .filter((pid) => workingDirectory(pid).startsWith(top)),
    groups: groupNames(top, name).flatMap((group) =>
      execFileSync('find', ['/sys/fs/cgroup', '-ignore_readdir_race', '-name', group], { encoding: 'utf8' })
        .split('\n')
        .filter(Boolean),
    ),
    files: ['run', 'scratch']
      .flatMap((place) => filesIn(join(top, place)))
      .filter((path) => !/\/(\d+\.lock|\d+)$/.test(path)),
  }
}

/** As src/chroot/session.ts names them, of the exclusive session and of the first scratch sessions. */
function groupNames(top: string, name: string): string[] {
  const places = ['run', ...[1, 2, 3, 4, 5, 6].map((number) => `scratch/${number}`)]
  return places.map((place) => `treeswap-${name}-${sha256(join(top, place)).slice(0, 8)}`)
}

function filesIn(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, encoding: 'utf8' }).map((path) => join(directory, path))
  } catch {
    return []
  }
}

/** Empty where the process has ended meanwhile. */
function text(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

function workingDirectory(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/cwd`)
  } catch {
    return ''
  }
}
