import { join } from 'node:path'
import { infrastructureError } from '../model/errors.js'
import { sleep, ticks } from '../system/clock.js'
import {
  errorCode,
  isDirectory,
  listDirectory,
  makeDirectory,
  readTextIfThere,
  removeDirectory,
  writeKernelFile,
} from '../system/files.js'
import { type Hierarchies, parseHierarchies } from './hierarchies.js'
import type { Limits } from './requests.js'

export interface GroupPlan {
  /** made when it is missing, shared by all containers, stays */
  parent?: string
  /** groups to make; the container enters each of them */
  groups: string[]
  /** kernel files to write, in this order; `optional` ones may be missing */
  settings: { file: string; text: string; optional?: boolean }[]
  /** limits that this host cannot enforce */
  missing: string[]
  /** file whose `oom_kill` line counts processes killed for want of memory */
  oomFile?: string
}

/** nspawn, its stub init and our own shells count too. */
const OWN_PROCESSES = 8

/**
 * What has to be made and written for a container's limits. Even without limits the container gets a group, in which
 * nspawn makes its own ones, so that nothing is left in ours.
 *
 * cgroup v1 (run on Linux 6.18): a child of our own group in the memory, pids and systemd hierarchies. cgroup v2: a
 * group below `treeswap` at the top, not below our own, because a group that holds processes (our own) cannot
 * distribute controllers; after Documentation/admin-guide/cgroup-v2.rst, not yet run on a host with v2 controllers.
 */
export function planGroups({ unified, legacy }: Hierarchies, name: string, limits: Limits): GroupPlan {
  if (unified?.controllers) return planUnified(unified.directory, name, limits)
  const { memory, processes } = limits
  const plan: GroupPlan = { groups: [], settings: [], missing: [] }
  for (const controller of ['memory', 'pids', 'name=systemd']) {
    const own = legacy.get(controller)
    if (own !== undefined) plan.groups.push(join(own, name))
  }
  const memoryOwn = legacy.get('memory')
  const pidsOwn = legacy.get('pids')
  if (memory !== undefined && memoryOwn === undefined) plan.missing.push('memory')
  if (processes !== undefined && pidsOwn === undefined) plan.missing.push('processes')
  if (memory !== undefined && memoryOwn !== undefined) {
    const group = join(memoryOwn, name)
    plan.settings.push(
      { file: join(group, 'memory.limit_in_bytes'), text: String(memory) },
      // memory and swap together: no swap on top
      { file: join(group, 'memory.memsw.limit_in_bytes'), text: String(memory), optional: true },
    )
    plan.oomFile = join(group, 'memory.oom_control')
  }
  if (processes !== undefined && pidsOwn !== undefined) {
    plan.settings.push({ file: join(pidsOwn, name, 'pids.max'), text: String(processes + OWN_PROCESSES) })
  }
  return plan
}

function planUnified(directory: string, name: string, { memory, processes }: Limits): GroupPlan {
  const parent = join(directory, 'treeswap')
  const group = join(parent, name)
  const distributed = [memory !== undefined && '+memory', processes !== undefined && '+pids'].filter(Boolean).join(' ')
  return {
    parent,
    groups: [group],
    missing: [],
    settings: [
      ...(distributed === ''
        ? []
        : [directory, parent].map((each) => ({ file: join(each, 'cgroup.subtree_control'), text: distributed }))),
      ...(memory === undefined
        ? []
        : [
            { file: join(group, 'memory.max'), text: String(memory) },
            { file: join(group, 'memory.swap.max'), text: '0', optional: true },
          ]),
      ...(processes === undefined ? [] : [{ file: join(group, 'pids.max'), text: String(processes + OWN_PROCESSES) }]),
    ],
    ...(memory !== undefined && { oomFile: join(group, 'memory.events') }),
  }
}

/** The host's hierarchies, read anew: our own group can change. */
export function readHierarchies(): Hierarchies {
  return parseHierarchies(readTextIfThere('/proc/self/mountinfo') ?? '', readTextIfThere('/proc/self/cgroup') ?? '')
}

/**
 * Makes the groups and writes the limits.
 * @returns the groups that were made; without limits fewer than planned is fine
 * @throws LIMITS_UNAVAILABLE when a limit was asked for and cannot be enforced
 */
export function makeGroups(plan: GroupPlan): string[] {
  const first = plan.missing[0]
  if (first !== undefined)
    throw unavailable(first, `no ${first === 'memory' ? 'memory' : 'pids'} controller is mounted`)
  const made: string[] = []
  for (const group of [plan.parent ?? [], plan.groups].flat()) {
    try {
      makeDirectory(group)
      if (group !== plan.parent) made.push(group)
    } catch (error) {
      if (plan.settings.length > 0) throw unavailable(group, errorCode(error) ?? 'it could not be made', error)
    }
  }
  for (const { file, text, optional } of plan.settings) {
    try {
      writeKernelFile(file, text)
    } catch (error) {
      if (!optional) throw unavailable(file, errorCode(error) ?? 'it could not be written', error)
    }
  }
  return made
}

/** How many processes were killed because the memory limit was reached. */
export function outOfMemoryKills(plan: GroupPlan): number {
  const text = plan.oomFile === undefined ? undefined : readTextIfThere(plan.oomFile)
  return Number(/^oom_kill (\d+)$/m.exec(text ?? '')?.[1] ?? 0)
}

/**
 * Waits until no process is left in the groups and removes them with all groups inside.
 * @param milliseconds longest wait; processes that are being killed may take a moment
 * @throws CONTAINER_ALIVE
 */
export async function removeGroups(groups: readonly string[], milliseconds: number): Promise<void> {
  const end = ticks() + milliseconds
  for (const group of groups) {
    while (!removeGroup(group)) {
      if (ticks() > end) {
        throw infrastructureError(
          'CONTAINER_ALIVE',
          `processes of an earlier container do not end (${group})`,
          `see what they wait for: ps -o pid,stat,wchan,args -p $(paste -sd, ${join(group, 'cgroup.procs')})`,
        )
      }
      await sleep(10)
    }
  }
}

/** Removes a group and those inside, unless a process is in one of them. */
function removeGroup(group: string): boolean {
  if (!isDirectory(group)) return true
  for (const inner of listDirectory(group)) {
    if (inner.isDirectory() && !removeGroup(join(group, inner.name))) return false
  }
  try {
    removeDirectory(group)
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return true
    if (errorCode(error) === 'EBUSY') return false
    throw error
  }
}

function unavailable(what: string, why: string, cause?: unknown): Error {
  return infrastructureError(
    'LIMITS_UNAVAILABLE',
    `the memory or process limit that was asked for cannot be enforced here: ${what}: ${why}`,
    'run treeswap as root on a host whose cgroups it may write (see `treeswap doctor`), or drop the limits from the configuration',
    cause,
  )
}
