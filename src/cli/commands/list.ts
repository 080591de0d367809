import { listBuilds, readBuild } from '../../store/builds.js'
import type { Store } from '../../store/layout.js'
import { publishedNumber } from '../../store/references.js'
import { readState } from '../../store/state.js'
import { buildSummary } from '../build-summary.js'
import { defineCommand } from '../command.js'
import { publisherOptions, storeOf } from '../options.js'
import { table } from '../table.js'
import { humanBytes } from '../../model/quantity.js'
import { chosenTrees } from '../trees.js'

export const list = defineCommand({
  name: 'list',
  summary: 'list the builds that the store has',
  examples: { list: 'builds of all trees', 'list database --root /srv/treeswap': 'builds of one tree' },
  positionals: { tree: { type: 'string', describe: 'only builds of this tree' } },
  options: publisherOptions,
  run(args) {
    const store = storeOf(args)
    const builds = chosenTrees(store, args.tree).flatMap((tree) => buildsOf(store, tree))
    const rows = builds.map((build) => [
      `${build.tree}@${build.number}`,
      build.finished,
      humanBytes(build.bytes),
      build.base === null ? 'full' : `on ${build.base}`,
      [...(build.published ? ['published'] : []), ...build.tags].join(', '),
    ])
    const text = table(['BUILD', 'FINISHED', 'ARTIFACT', 'PACKED', 'NOTES'], rows) || 'no builds'
    return Promise.resolve({ json: { builds }, text })
  },
})

function buildsOf(store: Store, tree: string) {
  const { tags, keep } = readState(store, tree)
  const published = publishedNumber(store, tree)
  return listBuilds(store, tree).map((number) => ({
    ...buildSummary(readBuild(store, tree, number)),
    published: number === published,
    keep: keep.includes(number),
    tags: Object.keys(tags).filter((tag) => tags[tag] === number),
  }))
}
