import { listGenerations, listUnfinished, readPointer, unfinishedGeneration } from '../store/generations.js'
import type { Store } from '../store/layout.js'
import type { TreeState } from '../store/state.js'
import type { Context } from '../model/report.js'
import { now } from '../system/clock.js'
import { exists, realPath, rename } from '../system/files.js'
import { run } from '../system/process.js'
import { pathsInUse } from './in-use.js'

/** Removes what publishes that were stopped half-way left behind: nobody can be reading it. Under the tree's lock. */
export async function removeUnpublished(store: Store, { tree, history }: TreeState, context: Context): Promise<void> {
  for (const serial of listUnfinished(store, tree)) await takeDown(unfinishedGeneration(store, tree, serial), context)
  const published = readPointer(store, tree)?.serial ?? 0
  const served = new Set(history.map(({ serial }) => serial))
  for (const serial of listGenerations(store, tree)) {
    if (serial > published && !served.has(serial)) await removeGeneration(store, tree, serial, context)
  }
}

/**
 * Removes generations that were replaced longer ago than the grace time and that no process is inside of. Under the
 * tree's lock. Trouble with it is told, but does not fail the publish that is done.
 * @returns serials of what was removed
 */
export async function removeExpired(
  store: Store,
  state: TreeState,
  graceSeconds: number,
  context: Context,
): Promise<number[]> {
  const pointer = readPointer(store, state.tree)
  if (pointer === undefined) return []
  const expired = listGenerations(store, state.tree).filter((serial) => {
    if (serial >= pointer.serial) return false
    return replacedAt(state, serial, pointer.since) + graceSeconds * 1000 <= now()
  })
  if (expired.length === 0) return []
  const used = pathsInUse()
  const removed: number[] = []
  for (const serial of expired) {
    try {
      const directory = realPath(store.generation(state.tree, serial))
      if (used.some((path) => path === directory || path.startsWith(`${directory}/`))) continue
      await removeGeneration(store, state.tree, serial, context)
      removed.push(serial)
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      context.report.warn(`generation ${serial} of ${state.tree} could not be removed: ${why}`)
    }
  }
  return removed
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

/** Out of reach first, as one step, so that nobody meets half a generation. */
async function removeGeneration(store: Store, tree: string, serial: number, context: Context): Promise<void> {
  const directory = unfinishedGeneration(store, tree, serial)
  rename(store.generation(tree, serial), directory)
  await takeDown(directory, context)
}

/** When clients were led elsewhere, in milliseconds since 1970. */
function replacedAt({ history }: TreeState, serial: number, fallback: number): number {
  const next = history.find((entry) => entry.serial > serial)
  return next === undefined ? fallback : Date.parse(next.at)
}
