import { join } from 'node:path'
import * as z from 'zod'
import { infrastructureError } from '../model/errors.js'
import { readTextIfThere, writeAtomically } from '../system/files.js'
import { withLock } from '../system/lock.js'

/** Uids of one root: what a container needs to hold every 16-bit uid. */
export const RANGE = 65_536
/** Start of the range systemd sets apart for containers (systemd's UIDS-GIDS.md). */
const FIRST = 524_288
const LAST = 0x7fff_0000

/** Whether a host's uid belongs to the containers of the root whose range begins at `uidBase`. */
export function inRange(uid: number, uidBase: number): boolean {
  return uid >= uidBase && uid < uidBase + RANGE
}

const counter = z.strictObject({ next: z.int().min(FIRST) })

/**
 * Takes the next uid range below `directory`. A range is never given twice, not even after its root was removed:
 * files that a removed root left somewhere must not belong to another one.
 */
export async function allocateUidRange(directory: string, taken: readonly number[]): Promise<number> {
  return withLock(join(directory, '.locks', '.uid-ranges'), { what: 'the list of uid ranges', wait: 30 }, async () => {
    const next = firstFree(directory)
    const base = Math.max(next, ...taken.map((used) => used + RANGE))
    if (base > LAST) {
      throw infrastructureError(
        'UID_RANGES_EXHAUSTED',
        `no uid range is left for another chroot below ${directory}`,
        'choose another builder directory',
      )
    }
    writeAtomically(counterFile(directory), JSON.stringify({ next: base + RANGE }) + '\n')
    return Promise.resolve(base)
  })
}

/** Tells the uids of roots that were removed: given below `directory`, and `taken` by none that is there. */
export function abandonedRanges(directory: string, taken: readonly number[]): (uid: number) => boolean {
  const end = firstFree(directory)
  return (uid) => uid >= FIRST && uid < end && !taken.some((base) => inRange(uid, base))
}

function firstFree(directory: string): number {
  const text = readTextIfThere(counterFile(directory))
  return text === undefined ? FIRST : counter.parse(JSON.parse(text)).next
}

function counterFile(directory: string): string {
  return join(directory, '.uid-ranges.json')
}
