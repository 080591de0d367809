import { join } from 'node:path'
import type { Context } from '../model/report.js'
import { sleep } from '../system/clock.js'
import {
  chmod,
  chown,
  isDirectory,
  listDirectory,
  makeDirectory,
  readTextIfThere,
  removeFile,
  rename,
  statusOf,
  syncDirectory,
  syncFileSystem,
  writeNew,
} from '../system/files.js'
import { aborted, run } from '../system/process.js'
import { removeGroups } from './control-groups.js'
import { readOnlyOverlay, type RootPaths, type RunPlace, scratchPlace, type ScratchPlace } from './layout.js'
import { writeHead } from './root-record.js'

/** More layers than this are copied into one. */
const MOST_LAYERS = 8
/** How long a killed container may take to end, in milliseconds. */
const DYING = 30_000

/**
 * Removes what killed sessions left: waits for their processes, drops their upper layers and every layer that the head
 * does not name. To be called by who has the root alone.
 */
export async function dropLeftovers(paths: RootPaths, layers: readonly number[]): Promise<void> {
  for (const place of [paths.run, ...usedScratchPlaces(paths)]) await clearPlace(place)
  const known = new Set(layers.map((layer) => layerPath(paths, layer)))
  await removeForeign(
    ...inside(paths.layers).filter((path) => !known.has(path)),
    ...inside(paths.top).filter((path) => path.endsWith('.tmp')),
  )
}

/** Removes what a session left in its place: waits for its processes and drops its upper layer. */
export async function clearPlace(place: RunPlace): Promise<void> {
  await removeGroups(readGroups(place), DYING)
  forgetGroups(place)
  await dropUpper(place)
}

/** Places in which a scratch session has begun to work: it still does, or it was killed. */
export function usedScratchPlaces(paths: RootPaths): ScratchPlace[] {
  return inside(paths.scratch)
    .flatMap((path) => /\/(\d+)\.lock$/.exec(path)?.[1] ?? [])
    .map((number) => scratchPlace(paths, Number(number)))
    .filter(({ directory, groups }) => inside(directory).length > 0 || statusOf(groups) !== undefined)
}

/** Makes an empty upper layer and what overlayfs needs beside it. */
export function makeUpper(place: RunPlace, uidBase: number): void {
  for (const name of ['upper', 'work', 'merged']) makeDirectory(join(place.directory, name))
  ownTop(place.upper, uidBase)
}

/** The top of a layer is `/` of the container: its root's, and open to all of its users. */
export function ownTop(layer: string, uidBase: number): void {
  chown(layer, uidBase, uidBase)
  chmod(layer, 0o755)
}

/** Removes the upper layer, if there is one, with everything in it. */
export async function dropUpper({ directory }: RunPlace): Promise<void> {
  await removeForeign(...inside(directory))
}

/**
 * Makes the upper layer part of the root, durably, and squashes the root when it has too many layers by then. All or
 * nothing: one rewrite of the head decides.
 * @returns the root's layers from now on
 */
export async function commitUpper(paths: RootPaths, layers: readonly number[], context: Context): Promise<number[]> {
  const number = Math.max(...layers) + 1
  rename(paths.run.upper, layerPath(paths, number))
  const stack = [...layers, number]
  const squashed = stack.length > MOST_LAYERS ? await squash(paths, stack, context) : stack
  await syncFileSystem(paths.layers)
  syncDirectory(paths.layers)
  if (context.signal.aborted) throw aborted('the commit')
  writeHead(paths, squashed)
  if (squashed !== stack) await removeForeign(...stack.map((old) => layerPath(paths, old)))
  return squashed
}

/**
 * Copies the stack into a single new layer, seen through a read-only mount of it, so that whiteouts, opaque and
 * renamed directories are resolved by the kernel. Runs as root of the host: owners, file capabilities (which carry
 * the root's uid), hard links and modes are copied as they are; symlinks are never followed.
 */
async function squash(paths: RootPaths, stack: readonly number[], context: Context): Promise<number[]> {
  context.report.step('joining the layers of the chroot')
  const number = Math.max(...stack) + 1
  makeDirectory(layerPath(paths, number))
  makeDirectory(join(paths.run.directory, 'merged'))
  await run(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'unshare', '--mount', '--propagation', 'private', '--pid', '--fork'],
      ...['--kill-child=SIGKILL', 'sh', '-c', SQUASH, 'treeswap-squash'],
      ...[readOnlyOverlay(stack), `layers/${number}/`],
    ],
    { cwd: paths.top, signal: context.signal, killAfter: 100 },
  )
  return [number]
}

const SQUASH = `set -eu
mount -t overlay -o "$1" overlay run/merged
exec cp --archive --reflink=auto run/merged/. "$2"
`

export function layerPath(paths: RootPaths, number: number): string {
  return join(paths.layers, String(number))
}

/**
 * Remembers the control groups of a run, so that the next session finds them when this process is killed. They do not
 * outlive a power cut, so neither need this.
 */
export function writeGroups(place: RunPlace, groups: readonly string[]): void {
  forgetGroups(place)
  writeNew(place.groups, JSON.stringify(groups))
}

/** To be called when the groups are removed. */
export function forgetGroups({ groups }: RunPlace): void {
  if (statusOf(groups) !== undefined) removeFile(groups)
}

function readGroups(place: RunPlace): string[] {
  const text = readTextIfThere(place.groups) ?? ''
  // empty: killed between the two steps of writing, before any group was made
  const groups: unknown = text === '' ? [] : JSON.parse(text)
  return Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : []
}

function inside(directory: string): string[] {
  return isDirectory(directory) ? listDirectory(directory).map(({ name }) => join(directory, name)) : []
}

/**
 * Removes what untrusted code may have written: rm(1) walks by directory handles, follows no symlink and is not
 * stopped by paths longer than the kernel takes.
 */
export async function removeForeign(...paths: string[]): Promise<void> {
  for (let attempt = 1; paths.some((path) => statusOf(path) !== undefined); attempt++) {
    try {
      await run('rm', ['--recursive', '--force', '--one-file-system', '--', ...paths])
    } catch (error) {
      if (attempt === 3) throw error
      await sleep(100)
    }
  }
}
