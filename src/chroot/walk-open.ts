import { infrastructureError } from '../model/errors.js'
import { breathe } from '../system/clock.js'
import { closeOpen, listOpen, openEntry, openParent, type OpenStatus, statusOfOpen } from '../system/descriptors.js'
import { errorCode } from '../system/files.js'
import { aborted } from '../system/process.js'

/** This many levels are kept open; from deeper ones the walk goes back by `..`. */
const KEPT_OPEN = 128
const PAUSE_EVERY = 2000

interface Level {
  descriptor: number
  identity: string
  rest: { name: Buffer; isDirectory: boolean }[]
}

/**
 * Visits a directory and everything in it on the same file system, by descriptors: depth, names and what others do
 * meanwhile lead nowhere else. What vanishes while it is walked is passed over.
 * @param top an open directory; it stays open
 * @param visit gets each entry open; descriptors are closed afterwards
 */
export async function walkOpen(
  top: number,
  wanted: 'directories' | 'everything',
  signal: AbortSignal,
  visit: (entry: number, status: OpenStatus) => void,
): Promise<void> {
  const first = statusOfOpen(top)
  visit(top, first)
  const levels: Level[] = [{ descriptor: top, identity: first.identity, rest: listOpen(top) }]
  let count = 0
  try {
    for (let level = levels.at(-1); level !== undefined; level = levels.at(-1)) {
      const entry = level.rest.pop()
      if (entry === undefined) {
        leave(levels)
        continue
      }
      if (++count % PAUSE_EVERY === 0) await pause(signal)
      if (wanted === 'directories' && !entry.isDirectory) continue
      const descriptor = openIfThere(level.descriptor, entry.name)
      if (descriptor === undefined) continue
      let entered = false
      try {
        const status = statusOfOpen(descriptor)
        if (status.device !== first.device || (wanted === 'directories' && !status.isDirectory)) continue
        visit(descriptor, status)
        if (status.isDirectory) {
          enter(levels, descriptor, status)
          entered = true
        }
      } finally {
        if (!entered) closeOpen(descriptor)
      }
    }
  } finally {
    for (const { descriptor } of levels.slice(1)) if (descriptor >= 0) closeOpen(descriptor)
  }
}

function enter(levels: Level[], descriptor: number, { identity }: OpenStatus): void {
  levels.push({ descriptor, identity, rest: listOpen(descriptor) })
  const high = levels.at(-KEPT_OPEN)
  if (high === undefined || high === levels[0]) return
  closeOpen(high.descriptor)
  high.descriptor = -1
}

function leave(levels: Level[]): void {
  const level = levels.pop()
  const above = levels.at(-1)
  if (level === undefined || above === undefined) return
  try {
    if (above.descriptor < 0) above.descriptor = reopen(level.descriptor, above.identity)
  } finally {
    closeOpen(level.descriptor)
  }
}

function reopen(below: number, identity: string): number {
  const descriptor = openParent(below)
  if (statusOfOpen(descriptor).identity === identity) return descriptor
  closeOpen(descriptor)
  throw infrastructureError(
    'DIRECTORY_CHANGED',
    'a directory was moved while its owner was changed',
    'let nothing else work in the builder directory, then run the command again',
  )
}

function openIfThere(directory: number, name: Buffer): number | undefined {
  try {
    return openEntry(directory, name, 'anything')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function pause(signal: AbortSignal): Promise<void> {
  await breathe()
  if (signal.aborted) throw aborted('the change of owners')
}
