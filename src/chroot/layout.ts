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
  /** of the running session: upper, work, merged */
  run: string
  upper: string
  /** held for a session; never removed, so that two holders always mean the same file */
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
    run: join(top, 'run'),
    upper: join(top, 'run', 'upper'),
    lock: join(directory, '.locks', name),
  }
}

/**
 * Mount options of the stack, with paths relative to the root's top directory: mount(2) takes at most 4,096 bytes of
 * them, fsconfig(2) 256 a value.
 *
 * `redirect_dir` lets a directory of a lower layer be renamed inside (without it: EXDEV). `index` and `metacopy` stay
 * off: both tie a layer to the inodes of the layers below, which a squash replaces.
 * Source: Documentation/filesystems/overlayfs.rst of Linux.
 * @param layers numbers from the bottom to the top
 */
export function writableOverlay(layers: readonly number[]): string {
  return `lowerdir=${lowerDirectories(layers)},upperdir=run/upper,workdir=run/work,${overlayFeatures}`
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
