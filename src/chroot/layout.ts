import { join } from 'node:path'
import { validName } from '../model/names.js'

/** Where things of one root lie. Everything is below a directory that only root may enter. */
export interface RootPaths {
  /** BUILDER/chroots/NAME */
  top: string
  /** written once: who the root is (root-record.ts) */
  record: string
  /** the list of layers; its atomic rewrite is what commits */
  head: string
  layers: string
  /** of the exclusive session */
  run: RunPlace
  /** of the scratch sessions */
  scratch: string
  /** held for a session, shared by scratch sessions; never removed, so that two holders always mean the same file */
  lock: string
}

/** Where one session keeps what it changes. */
export interface RunPlace {
  /** path below the root's top */
  name: string
  /** holds upper, work, merged */
  directory: string
  upper: string
  /** names the control groups of what runs there (layers.ts) */
  groups: string
}

/** The place of a scratch session: whoever holds its lock may use it, and what lies there otherwise is a dead one's. */
export interface ScratchPlace extends RunPlace {
  lock: string
}

/** @throws NAME_INVALID */
export function rootPaths(directory: string, name: string): RootPaths {
  const top = join(directory, validName('chroot', name))
  return {
    top,
    record: join(top, 'root.json'),
    head: join(top, 'head.json'),
    layers: join(top, 'layers'),
    run: { ...runPlace(top, 'run'), groups: join(top, 'groups.json') },
    scratch: join(top, 'scratch'),
    lock: join(directory, '.locks', name),
  }
}

/** @param number counted from 1 */
export function scratchPlace({ top }: RootPaths, number: number): ScratchPlace {
  const place = runPlace(top, `scratch/${number}`)
  return { ...place, groups: `${place.directory}.groups.json`, lock: `${place.directory}.lock` }
}

function runPlace(top: string, name: string): Omit<RunPlace, 'groups'> {
  const directory = join(top, name)
  return { name, directory, upper: join(directory, 'upper') }
}

/**
 * Mount options of the stack, with paths relative to the root's top directory: mount(2) takes at most 4,096 bytes of
 * them, fsconfig(2) 256 a value.
 *
 * `redirect_dir` lets a directory of a lower layer be renamed inside (without it: EXDEV). `index` and `metacopy` stay
 * off: both tie a layer to the inodes of the layers below, which a squash replaces.
 * Source: Documentation/filesystems/overlayfs.rst of Linux.
 * @param layers numbers from the bottom to the top
 * @param place name of the session's place
 */
export function writableOverlay(layers: readonly number[], place: string): string {
  return `lowerdir=${lowerDirectories(layers)},upperdir=${place}/upper,workdir=${place}/work,${overlayFeatures}`
}

/** Like writableOverlay, for reading the whole stack. */
export function readOnlyOverlay(layers: readonly number[]): string {
  return `ro,lowerdir=${lowerDirectories(layers)},${overlayFeatures}`
}

const overlayFeatures = 'redirect_dir=on,index=off,metacopy=off'

function lowerDirectories(layers: readonly number[]): string {
  return layers
    .toReversed()
    .map((layer) => `layers/${layer}`)
    .join(':')
}
