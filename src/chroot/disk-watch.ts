import { humanBytes } from '../model/quantity.js'
import { sleep, ticks } from '../system/clock.js'
import { statFileSystem } from '../system/files.js'
import { runAny } from '../system/process.js'

/** Milliseconds between two looks at how much is free, which cost nothing. */
const LOOK = 1000
/** Milliseconds after which what was written is counted in any case: others may have freed what this one took. */
const COUNT = 60_000
/** Counting takes no more than one of so many parts of the time. */
const SHARE = 4
/** A disk is nearly full when less is free than this part of it, or this many bytes. */
const NEARLY_FULL = { part: 0.05, bytes: 4 * 2 ** 30 }

interface Free {
  bytes: number
  inodes: number
  isNearlyFull: boolean
}

/** What the directories take. */
interface Taken {
  bytes: number
  inodes: number
}

/**
 * Watches what is written below some directories, until it is too much: more than `limit`, or, where a disk is nearly
 * full, more than there is left, so that who fills it ends, and others go on. No quota: what is written within a second
 * of the limit, or between two counts, is seen only afterwards.
 * @param directories of which nothing lies in another one; they may be paths like /proc/PID/fd/N
 * @param limit bytes on the disk
 * @returns what is wrong, as a phrase that begins with "what it has written"; undefined: `signal` came before
 */
export async function watchDisk(
  directories: readonly string[],
  limit: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  let counted = 0
  let free = freeOn(directories)
  let next = 0
  let latest = ticks()
  for (;;) {
    await sleep(LOOK, signal)
    if (signal.aborted) return undefined
    const now = freeOn(directories)
    const gone = free.reduce((sum, { bytes }, index) => sum + Math.max(0, bytes - (now[index]?.bytes ?? 0)), 0)
    const isSuspect = counted + gone > limit || now.some((one) => one.isNearlyFull)
    if ((!isSuspect && ticks() - latest < COUNT) || ticks() < next) continue
    const begun = ticks()
    const taken = await count(directories, signal)
    if (taken === undefined) return undefined
    latest = ticks()
    next = latest + SHARE * (latest - begun)
    counted = taken.bytes
    free = freeOn(directories)
    const wrong = excess(taken, limit, free)
    if (wrong !== undefined) return wrong
  }
}

function excess({ bytes, inodes }: Taken, limit: number, free: readonly Free[]): string | undefined {
  const what = `what it has written takes ${humanBytes(bytes)} in ${inodes} files`
  if (bytes > limit) return `${what}, which is more than its limit of ${humanBytes(limit)}`
  const full = free.find((one) => one.isNearlyFull && (bytes > one.bytes || inodes > one.inodes))
  return full && `${what}, and leaves only ${humanBytes(full.bytes)} and ${full.inodes} files on the disk`
}

function freeOn(directories: readonly string[]): Free[] {
  return directories.map((directory) => {
    const { bavail, blocks, bsize, ffree, files } = statFileSystem(directory)
    const enough = Math.min(blocks * bsize * NEARLY_FULL.part, NEARLY_FULL.bytes)
    // where inodes are made as they are needed, there is no number of them
    const inodes = files === 0 ? Infinity : ffree
    const isNearlyFull = bavail * bsize < enough || inodes < files * NEARLY_FULL.part
    return { bytes: bavail * bsize, inodes, isNearlyFull }
  })
}

async function count(directories: readonly string[], signal: AbortSignal): Promise<Taken | undefined> {
  const taken = { bytes: 0, inodes: 0 }
  for (const directory of directories) {
    for (const [what, option] of Object.entries({ bytes: '--block-size=1', inodes: '--inodes' })) {
      try {
        // what vanishes meanwhile makes an exit code, and the sum is there all the same
        const args = ['--summarize', '--one-file-system', option, '.']
        const { stdout } = await runAny('du', args, { cwd: directory, signal, killAfter: 100 })
        taken[what as keyof Taken] += Number(/^\d+/.exec(stdout)?.[0] ?? 0)
      } catch (error) {
        if (signal.aborted) return undefined
        throw error
      }
    }
  }
  return taken
}
