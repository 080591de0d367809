import type { UploadConfig } from '../../config/uploads.js'
import { exitCodes, TreeswapError } from '../../model/errors.js'
import { humanTime } from '../../model/quantity.js'
import { treesWithRuns } from '../../pipeline/last-run.js'
import { detailsOf } from '../../pipeline/repo-details.js'
import type { TreeKey } from '../../publish/options.js'
import { outdatedPublished, publishedBuild } from '../../publish/status.js'
import { listBuilds } from '../../store/builds.js'
import type { Store } from '../../store/layout.js'
import { readState } from '../../store/state.js'
import { defineCommand } from '../command.js'
import { configOf, keysOf, publisherOptions, storeOf } from '../options.js'
import { plainError } from '../plain-error.js'
import { table } from '../table.js'
import { describeDetails } from '../repo-details.js'
import { chosenTrees } from '../trees.js'

export const status = defineCommand({
  name: 'status',
  summary: 'say what clients are served now, and what of a pacman repo is not up to date',
  examples: {
    status: 'all trees',
    'status instant': 'one: of a pacman repo also its last run, recipes that failed, and hosts it is uploaded to',
  },
  positionals: { tree: { type: 'string', describe: 'only this tree' } },
  options: publisherOptions,
  async run(args, context) {
    const store = storeOf(args)
    const { report } = context
    const keyOf = keysOf(args, context)
    const config = configOf(args)
    const hostsOf = (tree: string) => config?.pacman.get(tree)?.upload.flatMap((name) => config.uploads.get(name) ?? [])
    const trees = []
    for (const tree of treesOf(store, args.tree)) {
      trees.push(await statusOrError(store, tree, keyOf(tree), hostsOf(tree) ?? []))
    }
    const errors = trees.flatMap((status) => ('error' in status ? [status.error] : []))
    for (const { message, code, hint } of errors) report.warn(`${message} [${code}]: ${hint}`)
    for (const status of trees) {
      if (!('error' in status) && status.outdated !== undefined) report.warn(outdated(status.tree, status.outdated))
    }
    const header = ['TREE', 'PUBLISHED', 'SINCE', 'SERIAL', 'BEFORE', 'LATEST']
    const details = trees.flatMap((status) =>
      'error' in status || status.details === undefined ? [] : [describeDetails(status.tree, status.details)],
    )
    const text = [table(header, trees.map(rowOf)) || 'no trees', ...details].join('\n\n')
    const [error] = errors
    const json = { trees: trees.map(flat) }
    if (error === undefined) return { json, text }
    return { json: { ...json, error }, text, exitCode: exitCodes[error.category] }
  },
})

/** Trees that the store has, and those that were tried to be built. @throws NAME_INVALID, TREE_UNKNOWN */
function treesOf(store: Store, name: string | undefined): string[] {
  const tried = treesWithRuns(store)
  if (name !== undefined && tried.includes(name)) return [name]
  return name === undefined ? [...new Set([...chosenTrees(store, name), ...tried])].sort() : chosenTrees(store, name)
}

/** In the document the details are the tree's own. */
function flat(status: Awaited<ReturnType<typeof statusOrError>>): object {
  if ('error' in status) return status
  const { details, ...rest } = status
  return { ...rest, ...details }
}

/** What is damaged is named and does not hide the rest. */
async function statusOrError(store: Store, tree: string, key: TreeKey | undefined, hosts: readonly UploadConfig[]) {
  try {
    return { ...(await statusOfTree(store, tree, key)), details: await detailsOf(store, tree, hosts) }
  } catch (error) {
    if (!(error instanceof TreeswapError)) throw error
    return { tree, error: plainError(error) }
  }
}

async function statusOfTree(store: Store, tree: string, key: TreeKey | undefined) {
  const published = publishedBuild(store, tree) ?? null
  const { history } = readState(store, tree)
  const previous = published === null ? undefined : history.findLast(({ build }) => build !== published.build)
  const why = await outdatedPublished(store, tree, key)
  const signs = await describeKey(key)
  return {
    tree,
    published,
    previous: previous?.build ?? null,
    latest: listBuilds(store, tree).at(-1) ?? null,
    ...(signs !== undefined && { key: signs }),
    ...(why !== undefined && { outdated: why }),
  }
}

/** The key that the configuration has sign the tree; undefined: none, or clients do not take it, which is told elsewhere. */
async function describeKey(
  key: TreeKey | undefined,
): Promise<{ fingerprint: string; expires: string | null } | undefined> {
  try {
    const accepted = await key?.accepted?.()
    return key && accepted && { fingerprint: key.fingerprint, expires: accepted.expires?.toISOString() ?? null }
  } catch (error) {
    if (!(error instanceof TreeswapError) || error.category === 'aborted') throw error
    return undefined
  }
}

function outdated(tree: string, why: string): string {
  return `${tree}: ${why}: renew the key where it has expired, then \`treeswap publish ${tree}@published\``
}

function rowOf(status: Awaited<ReturnType<typeof statusOrError>>): string[] {
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
