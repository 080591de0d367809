import { parseReference } from '../../model/reference.js'
import { rollback as rollBack } from '../../publish/publish.js'
import { openStore } from '../../store/layout.js'
import { defineCommand } from '../command.js'
import { configOf, publishingOf, publishOptions, uploadsOf } from '../options.js'
import { askPublisher, overOption } from '../over.js'
import { describePublication } from '../publication.js'
import { warnOfKeyring } from '../../pipeline/warn-of-keyring.js'

export const rollback = defineCommand({
  name: 'rollback',
  summary: 'publish an earlier build again; clients follow by their normal commands',
  examples: { 'rollback database': 'the build that was published before', 'rollback database@7': 'build 7' },
  positionals: {
    reference: { type: 'string', describe: 'TREE[@REF]; default: the one published before', demandOption: true },
  },
  options: { ...publishOptions, ...overOption },
  async run(args, context) {
    const reference = parseReference(args.reference)
    if (args.over) return describePublication(await askPublisher('rollback', reference, args, context))
    const settings = publishingOf(args, reference.tree, context)
    const store = openStore(settings.root)
    const publication = await rollBack(store, reference, settings, context)
    const { tree } = publication
    context.report.warn(
      `the next successful build of ${tree} will be published: stop \`treeswap run\`, its timer or the job to stay on this one`,
    )
    await warnOfKeyring(configOf(args), store, tree, publication.build, context)
    return describePublication(publication, await uploadsOf(args, store, tree, context))
  },
})
