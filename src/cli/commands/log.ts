import { configurationError } from '../../model/errors.js'
import { formatReference, parseReference } from '../../model/reference.js'
import { logOf, readBuild } from '../../store/builds.js'
import { resolveReference } from '../../store/references.js'
import { run } from '../../system/process.js'
import { defineCommand } from '../command.js'
import { publisherOptions, storeOf } from '../options.js'

export const log = defineCommand({
  name: 'log',
  summary: 'print the log of a build',
  examples: { 'log database@12': 'to standard output', 'log database@published | less': 'page by page' },
  positionals: { reference: { type: 'string', describe: 'TREE[@REF]; default: the latest build', demandOption: true } },
  options: publisherOptions,
  async run(args, { signal, json }) {
    const store = storeOf(args)
    const reference = parseReference(args.reference)
    const { tree } = reference
    const number = resolveReference(store, reference, { kind: 'latest' })
    const file = logOf(store, readBuild(store, tree, number))
    if (file === undefined) {
      throw configurationError(
        'LOG_MISSING',
        `${formatReference(tree, number)} has no log`,
        'only builds of `treeswap build` and `treeswap run` have one',
      )
    }
    if (!json) {
      await run('zstd', ['-dcq', '--', file], { output: process.stdout, signal })
      return { json: {}, text: '' }
    }
    return { json: { tree, number, log: await run('zstd', ['-dcq', '--', file], { signal }) }, text: '' }
  },
})
