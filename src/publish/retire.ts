import type { Context } from '../model/report.js'
import { listGenerations, listUnfinished, readPointer, unfinishedGeneration } from '../store/generations.js'
import type { Pointer } from '../store/generations.js'
import type { Store } from '../store/layout.js'
import type { TreeState } from '../store/state.js'
import { now } from '../system/clock.js'
import { exists, realPath, rename, statusOf } from '../system/files.js'
import { run } from '../system/process.js'
import { pathsInUse } from './in-use.js'

/**
 * How many times the grace time a replaced generation stays where it cannot be told whether somebody is inside:
 * there, time is all that protects a slow client.
 */
const BLIND_FACTOR = 4

/** Generations that nothing leads to any more: out of reach, waiting to be removed. */
export interface Retired {
  /** directories to be given to takeDown, outside of the tree's lock: that takes its time */
  directories: string[]
  /** of those that were complete */
  serials: number[]
}

/** What publishes and removals that were stopped half-way left behind: nobody can be reading it. Under the tree's lock. */
export function unfinishedDirectories(store: Store, tree: string): string[] {
  return listUnfinished(store, tree).map((serial) => unfinishedGeneration(store, tree, serial))
}

/**
 * Puts generations out of reach that were replaced, or given up, longer ago than the grace time and that no process is
 * inside of. Under the tree's lock. Trouble with it is told, but does not fail a publish.
 */
export function retireExpired(store: Store, state: TreeState, graceSeconds: number, { report }: Context): Retired {
  const retired: Retired = { directories: [], serials: [] }
  const age = agesOf(store, state)
  const expired = listGenerations(store, state.tree).filter((serial) => age(serial) >= graceSeconds * 1000)
  if (expired.length === 0) return retired
  const used = pathsInUse()
  for (const serial of expired) {
    try {
      const directory = realPath(store.generation(state.tree, serial))
      if (!used.complete && age(serial) < BLIND_FACTOR * graceSeconds * 1000) continue
      if (used.paths.some((path) => path === directory || path.startsWith(`${directory}/`))) continue
      retired.directories.push(retireGeneration(store, state.tree, serial))
      retired.serials.push(serial)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      report.warn(`generation ${serial} of ${state.tree} could not be removed: ${why}`)
    }
  }
  return retired
}

/** Removes a directory that nothing leads to, outside of this process, which goes on serving signals. */
export async function takeDown(directory: string, { report }: Context): Promise<void> {
  if (!exists(directory)) return
  try {
    await run('rm', ['-rf', '--', directory])
  } catch (error) {
    report.warn(`${directory} could not be removed: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Puts a generation out of reach as one step, so that nobody meets half of one. @returns where it is now */
export function retireGeneration(store: Store, tree: string, serial: number): string {
  const directory = unfinishedGeneration(store, tree, serial)
  rename(store.generation(tree, serial), directory)
  return directory
}

/** For how long nothing has led to a generation, in milliseconds; -1 where something does, or nothing can be told. */
function agesOf(store: Store, state: TreeState): (serial: number) => number {
  const pointer = readPointer(store, state.tree)
  return (serial) => {
    const since = leftAt(store, state, pointer, serial)
    return since === undefined ? -1 : now() - since
  }
}

function leftAt(store: Store, state: TreeState, pointer: Pointer | undefined, serial: number): number | undefined {
  if (serial === pointer?.serial) return undefined
  if (pointer !== undefined && serial < pointer.serial) {
    const later = state.history.filter((entry) => entry.serial > serial).map(({ at }) => Date.parse(at))
    // where the clock was ahead when it was replaced, it was so at the next publish that says something of it
    return later.length === 0 ? pointer.since : (later.find((at) => at <= now()) ?? now())
  }
  // Without a pointer, what is in the history may be what it is going to be mended to.
  if (state.history.some((entry) => entry.serial === serial)) return undefined
  // Complete, but not led to: a publish was killed, or a power cut took its pointer back after clients had seen it.
  return statusOf(store.generation(state.tree, serial))?.mtimeMs
}
