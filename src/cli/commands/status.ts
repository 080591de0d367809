import { publishedBuild } from '../../publish/status.js'
import { listBuilds } from '../../store/builds.js'
import type { Store } from '../../store/layout.js'
import { readState } from '../../store/state.js'
import { defineCommand } from '../command.js'
import { publisherOptions, storeOf } from '../options.js'
import { table } from '../table.js'
import { chosenTrees } from '../trees.js'

export const status = defineCommand({
  name: 'status',
  summary: 'say what clients are served now',
  examples: { status: 'all trees', 'status database': 'one tree' },
  positionals: { tree: { type: 'string', describe: 'only this tree' } },
  options: publisherOptions,
  run(args) {
    const store = storeOf(args)
    const trees = chosenTrees(store, args.tree).map((tree) => statusOfTree(store, tree))
    const rows = trees.map(({ tree, published, previous, latest }) => [
      tree,
      published === null ? 'nothing' : `${tree}@${published.build}`,
      published?.since ?? '',
      published === null ? '' : String(published.serial),
      previous === null ? '' : `${tree}@${previous}`,
      latest === null ? '' : latest === published?.build ? 'yes' : `no: ${tree}@${latest} is`,
    ])
    const text = table(['TREE', 'PUBLISHED', 'SINCE', 'SERIAL', 'BEFORE', 'LATEST'], rows) || 'no trees'
    return Promise.resolve({ json: { trees }, text })
  },
})

function statusOfTree(store: Store, tree: string) {
  const published = publishedBuild(store, tree) ?? null
  const { history } = readState(store, tree)
  const previous = published === null ? undefined : history.findLast(({ build }) => build !== published.build)
  return { tree, published, previous: previous?.build ?? null, latest: listBuilds(store, tree).at(-1) ?? null }
}
