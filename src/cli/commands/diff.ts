import { count } from '../../model/quantity.js'
import { formatReference, parseReference } from '../../model/reference.js'
import { diffBuilds } from '../../pipeline/diff.js'
import type { BuildDiff } from '../../pipeline/diff.js'
import { resolveReference } from '../../store/references.js'
import { defineCommand } from '../command.js'
import { publisherOptions, storeOf } from '../options.js'
import { table } from '../table.js'
import { usageError } from '../usage-error.js'

export const diff = defineCommand({
  name: 'diff',
  summary: 'list the packages that differ between two builds of a tree',
  examples: {
    'diff database@11 database@12': 'what clients of build 11 get with build 12',
    'diff database': 'what publishing the latest build would change',
  },
  positionals: {
    from: { type: 'string', describe: 'TREE[@REF]; default: the published build', demandOption: true },
    to: { type: 'string', describe: 'TREE[@REF] of the same tree; default: the latest build' },
  },
  options: publisherOptions,
  async run(args) {
    const store = storeOf(args)
    const first = parseReference(args.from)
    const second = parseReference(args.to ?? first.tree)
    const { tree } = first
    if (second.tree !== tree) {
      throw usageError(`${tree} and ${second.tree} are two trees`, 'builds of one tree can be compared')
    }
    const from = resolveReference(store, first, { kind: 'published' })
    const to = resolveReference(store, second, { kind: 'latest' })
    const difference = await diffBuilds(store, tree, from, to)
    const title = `${formatReference(tree, from)} → ${formatReference(tree, to)}`
    return { json: { tree, from, to, ...difference }, text: `${title}\n${describeDiff(difference)}` }
  },
})

function describeDiff({ added, removed, upgraded, downgraded, rebuilt, inputs }: BuildDiff): string {
  const nameOf = (change: { package: string; slot: string }): string =>
    change.slot === '0' ? change.package : `${change.package}:${change.slot}`
  const rows = [
    ...added.map((change) => ['added', nameOf(change), '', change.version]),
    ...removed.map((change) => ['removed', nameOf(change), change.version, '']),
    ...upgraded.map((change) => ['upgraded', nameOf(change), change.from, change.to]),
    ...downgraded.map((change) => ['downgraded', nameOf(change), change.from, change.to]),
    ...rebuilt.map((change) => ['rebuilt', nameOf(change), change.version, change.version]),
  ]
  const sources = inputs.map(({ name, from, to }) => [name, from?.slice(0, 12) ?? '', to?.slice(0, 12) ?? ''])
  return [
    table(['', 'PACKAGE', 'FROM', 'TO'], rows),
    rows.length === 0
      ? 'no package differs'
      : `${count(rows.length, 'package')} ${rows.length === 1 ? 'differs' : 'differ'}`,
    table(['INPUT', 'FROM', 'TO'], sources),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}
