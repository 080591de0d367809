import { TreeswapError } from '../../model/errors.js'
import { humanBytes, humanTime } from '../../model/quantity.js'
import type { Report } from '../../model/report.js'
import { listBuilds, readBuild } from '../../store/builds.js'
import type { Store } from '../../store/layout.js'
import { publishedNumber } from '../../store/references.js'
import { readState } from '../../store/state.js'
import { buildSummary } from '../build-summary.js'
import { defineCommand } from '../command.js'
import { publisherOptions, storeOf } from '../options.js'
import { table } from '../table.js'
import { chosenTrees } from '../trees.js'

export const list = defineCommand({
  name: 'list',
  summary: 'list the builds that the store has',
  examples: { list: 'builds of all trees', 'list database --root /srv/treeswap': 'builds of one tree' },
  positionals: { tree: { type: 'string', describe: 'only builds of this tree' } },
  options: publisherOptions,
  run(args, { report }) {
    const store = storeOf(args)
    const builds = chosenTrees(store, args.tree).flatMap((tree) => buildsOf(store, tree, report))
    const rows = builds.map((build) => {
      const notes = [...(build.published ? ['published'] : []), ...build.tags].join(', ')
      const name = `${build.tree}@${build.number}`
      if ('damaged' in build) return [name, 'damaged', '', '', notes]
      const packed = build.base === null ? 'full' : `on ${build.base}`
      return [name, humanTime(build.finished), humanBytes(build.bytes), packed, notes]
    })
    const text = table(['BUILD', 'FINISHED', 'ARTIFACT', 'PACKED', 'NOTES'], rows) || 'no builds'
    return Promise.resolve({ json: { builds }, text })
  },
})

/** What is damaged is named and does not hide the rest. */
function buildsOf(store: Store, tree: string, report: Report) {
  const unknown = { tags: {} as Record<string, number>, keep: [] as number[], published: undefined }
  const { tags, keep, published } =
    told(report, () => {
      return { ...readState(store, tree), published: publishedNumber(store, tree) }
    }) ?? unknown
  return listBuilds(store, tree).map((number) => ({
    ...(told(report, () => buildSummary(readBuild(store, tree, number))) ?? { tree, number, damaged: true }),
    published: number === published,
    keep: keep.includes(number),
    tags: Object.keys(tags).filter((tag) => tags[tag] === number),
  }))
}

/** undefined where a coded error was reported instead */
function told<T>(report: Report, read: () => T): T | undefined {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof TreeswapError)) throw error
    report.warn(`${error.message} [${error.code}]`)
    return undefined
  }
}
