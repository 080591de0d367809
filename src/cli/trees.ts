import { parseReference } from '../model/reference.js'
import { listTrees } from '../store/builds.js'
import type { Store } from '../store/layout.js'
import { resolveReference } from '../store/references.js'

/** The tree that was named, or all that there are. @throws NAME_INVALID, TREE_UNKNOWN */
export function chosenTrees(store: Store, name: string | undefined): string[] {
  if (name === undefined) return listTrees(store)
  const { tree } = parseReference(name)
  resolveReference(store, { tree, build: undefined }, { kind: 'latest' })
  return [tree]
}
