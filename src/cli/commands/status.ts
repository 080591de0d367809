import { exitCodes, TreeswapError } from '../../model/errors.js'
import { humanTime } from '../../model/quantity.js'
import { publishedBuild } from '../../publish/status.js'
import { listBuilds } from '../../store/builds.js'
import type { Store } from '../../store/layout.js'
import { readState } from '../../store/state.js'
import { defineCommand } from '../command.js'
import { publisherOptions, storeOf } from '../options.js'
import { plainError } from '../plain-error.js'
import { table } from '../table.js'
import { chosenTrees } from '../trees.js'

export const status = defineCommand({
  name: 'status',
  summary: 'say what clients are served now',
  examples: { status: 'all trees', 'status database': 'one tree' },
  positionals: { tree: { type: 'string', describe: 'only this tree' } },
  options: publisherOptions,
  run(args, { report }) {
    const store = storeOf(args)
    const trees = chosenTrees(store, args.tree).map((tree) => statusOrError(store, tree))
    const errors = trees.flatMap((status) => ('error' in status ? [status.error] : []))
    for (const { message, code, hint } of errors) report.warn(`${message} [${code}]: ${hint}`)
    const text = table(['TREE', 'PUBLISHED', 'SINCE', 'SERIAL', 'BEFORE', 'LATEST'], trees.map(rowOf)) || 'no trees'
    const [error] = errors
    if (error === undefined) return Promise.resolve({ json: { trees }, text })
    return Promise.resolve({ json: { trees, error }, text, exitCode: exitCodes[error.category] })
  },
})

/** What is damaged is named and does not hide the rest. */
function statusOrError(store: Store, tree: string) {
  try {
    return statusOfTree(store, tree)
  } catch (error) {
    if (!(error instanceof TreeswapError)) throw error
    return { tree, error: plainError(error) }
  }
}

function statusOfTree(store: Store, tree: string) {
  const published = publishedBuild(store, tree) ?? null
  const { history } = readState(store, tree)
  const previous = published === null ? undefined : history.findLast(({ build }) => build !== published.build)
  return { tree, published, previous: previous?.build ?? null, latest: listBuilds(store, tree).at(-1) ?? null }
}

function rowOf(status: ReturnType<typeof statusOrError>): string[] {
  if ('error' in status) return [status.tree, `unknown [${status.error.code}]`]
  const { tree, published, previous, latest } = status
  return [
    tree,
    published === null ? 'nothing' : `${tree}@${published.build}`,
    published === null ? '' : humanTime(published.since),
    published === null ? '' : String(published.serial),
    previous === null ? '' : `${tree}@${previous}`,
    latest === null ? '' : latest === published?.build ? 'yes' : `no: ${tree}@${latest} is`,
  ]
}
