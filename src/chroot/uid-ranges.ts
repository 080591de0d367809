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

const ranges = z.strictObject({
  next: z.int().min(FIRST),
  /** root that is being made → its range: a broken attempt has used no more than the next one may use */
  pending: z.record(z.string(), z.int().min(FIRST)).default({}),
})

type Ranges = z.infer<typeof ranges>

/**
 * Takes a uid range for a root that is to be made below `directory`. A range is never given to two roots, not even after
 * one was removed: files that a removed root left somewhere must not belong to another one.
 */
export async function allocateUidRange(directory: string, name: string, taken: readonly number[]): Promise<number> {
  return changeRanges(directory, ({ next, pending }) => {
    const base = new Map(Object.entries(pending)).get(name) ?? Math.max(next, ...taken.map((used) => used + RANGE))
    if (base > LAST) {
      throw infrastructureError(
        'UID_RANGES_EXHAUSTED',
        `no uid range is left for another chroot below ${directory}`,
        'choose another builder directory',
      )
    }
    return { ranges: { next: Math.max(next, base + RANGE), pending: { ...pending, [name]: base } }, result: base }
  })
}

/** From now on the range is that of the root, and given to no other. To be called before the root counts as made. */
export async function keepUidRange(directory: string, name: string): Promise<void> {
  await changeRanges(directory, ({ next, pending }) => {
    const others = Object.entries(pending).filter(([other]) => other !== name)
    return { ranges: { next, pending: Object.fromEntries(others) }, result: undefined }
  })
}

async function changeRanges<T>(
  directory: string,
  change: (ranges: Ranges) => { ranges: Ranges; result: T },
): Promise<T> {
  return withLock(join(directory, '.locks', '.uid-ranges'), { what: 'the list of uid ranges', wait: 30 }, () => {
    const { ranges: changed, result } = change(readRanges(directory))
    writeAtomically(rangesFile(directory), JSON.stringify(changed) + '\n')
    return Promise.resolve(result)
  })
}

/** Tells the uids of roots that were removed: given below `directory`, and `taken` by none that is there. */
export function abandonedRanges(directory: string, taken: readonly number[]): (uid: number) => boolean {
  const end = readRanges(directory).next
  return (uid) => uid >= FIRST && uid < end && !taken.some((base) => inRange(uid, base))
}

function readRanges(directory: string): Ranges {
  const text = readTextIfThere(rangesFile(directory))
  return ranges.parse(text === undefined ? { next: FIRST } : JSON.parse(text))
}

function rangesFile(directory: string): string {
  return join(directory, '.uid-ranges.json')
}
