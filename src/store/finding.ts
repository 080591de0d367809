import { relative } from 'node:path'
import type { Store } from './layout.js'

/** Something of a store that is not as it should be. */
export interface Finding {
  kind: 'damaged' | 'missing' | 'foreign' | 'outdated'
  /** relative to the store's root */
  path: string
  /** `TREE@N` of every build that needs it */
  builds: string[]
  hint: string
}

export function repairable(store: Store, kind: 'damaged' | 'missing', path: string, builds: string[]): Finding {
  const [first] = builds
  const pull =
    first === undefined
      ? 'no build needs it'
      : `pull ${first} again from where it was archived: it brings what is missing; then publish what is published`
  return { kind, path: relative(store.root, path), builds, hint: kind === 'damaged' ? `remove it; ${pull}` : pull }
}

export function foreign(store: Store, path: string): Finding {
  return {
    kind: 'foreign',
    path: relative(store.root, path),
    builds: [],
    hint: 'treeswap did not put it there: move it away',
  }
}
