import { chmodOpen, chownOpen } from '../system/descriptors.js'
import { type Caller, isCallers } from './caller.js'
import type { Pinned } from './pinned.js'
import { inRange } from './uid-ranges.js'
import { walkOpen } from './walk-open.js'

/**
 * Makes the caller's directories in a writable bind the container's, so that it can add and replace files everywhere
 * in it. The files stay whose they are: they may be hard links to what the host keeps elsewhere. What a user of the
 * container owns is left to that user.
 */
export async function lendDirectories(
  { descriptor }: Pinned,
  uidBase: number,
  caller: Caller,
  signal: AbortSignal,
): Promise<void> {
  await walkOpen(descriptor, 'directories', signal, (directory, { uid }) => {
    if (isCallers(uid, caller) && !inRange(uid, uidBase)) chownOpen(directory, uidBase, uidBase)
  })
}

/**
 * Gives what the containers of one root wrote in a directory to the caller: readable for it, writable for nobody else,
 * without setuid and setgid bits. Whatever has an owner outside the root's uid range is left alone, so a wrong
 * directory does no harm. No container may be running in it.
 */
export async function reclaimTree({ descriptor }: Pinned, uidBase: number, caller: Caller): Promise<void> {
  // not stopped on request: it is what a stopped run needs as well
  await walkOpen(
    descriptor,
    'everything',
    new AbortController().signal,
    (entry, { uid, mode, isDirectory, isLink }) => {
      if (!inRange(uid, uidBase)) return
      // while it is still the container's: the caller's must not be setuid for a moment
      if (!isLink) chmodOpen(entry, reclaimedMode(mode, isDirectory))
      chownOpen(entry, caller.uid, caller.gid)
    },
  )
}

function reclaimedMode(mode: number, isDirectory: boolean): number {
  const search = isDirectory || (mode & 0o111) !== 0 ? 0o700 : 0o600
  return (mode & 0o755) | search
}
