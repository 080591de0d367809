import { resolve } from 'node:path'
import type { Config } from '../config/config.js'
import { treeOf } from '../config/trees.js'
import { publishedBuild } from '../publish/status.js'
import { listBuilds, listTrees } from '../store/builds.js'
import { openStore } from '../store/layout.js'
import { makeDirectory, removeTree, writeNew } from '../system/files.js'
import { REPORT } from './files.js'
import type { RequestOf, StepOutcome } from './request.js'

const STATUS = `${REPORT}/status.json`

/** Says what clients are served. @throws TREE_UNKNOWN, STORE_MISSING */
export function reportStep(config: Config, { tree }: RequestOf<'report'>): StepOutcome {
  const store = openStore(config.publisher.root)
  if (tree !== undefined) treeOf(config, tree)
  const names = tree === undefined ? listTrees(store) : [tree]
  const trees = names.map((name) => ({
    tree: name,
    published: publishedBuild(store, name) ?? null,
    latest: listBuilds(store, name).at(-1) ?? null,
  }))
  removeTree(resolve(REPORT))
  makeDirectory(resolve(REPORT))
  writeNew(resolve(STATUS), `${JSON.stringify({ schema: 1, trees }, undefined, 2)}\n`)
  const lines = trees.map(({ tree: name, published }) =>
    published === null ? `${name}: nothing published` : `${name}@${published.build} since ${published.since}`,
  )
  return { description: lines.join('; ') || 'no tree has a build yet', artifacts: [STATUS], values: { trees } }
}
