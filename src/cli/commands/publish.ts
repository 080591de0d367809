import { parseReference } from '../../model/reference.js'
import { publish as publishBuild, publishReference } from '../../publish/publish.js'
import { openStore } from '../../store/layout.js'
import { pull } from '../../store/pull.js'
import { defineCommand } from '../command.js'
import { configOf, fromOptions, publishingOf, publishOptions, uploadsOf } from '../options.js'
import { askPublisher, overOption } from '../over.js'
import { describePublication } from '../publication.js'
import { inSource } from '../pull-reference.js'
import { usageError } from '../usage-error.js'
import { warnOfKeyring } from '../../pipeline/warn-of-keyring.js'

export const publish = defineCommand({
  name: 'publish',
  summary: 'serve a build to clients, in one step that no client notices',
  examples: {
    'publish database': 'the latest build in the store',
    'publish database@12 --from dir:/var/lib/treeswap/artifacts': 'pull a build, then publish it',
    'publish database@12 --from jenkins:treeswap/machines/database': 'the same from Jenkins',
    'publish database@12 --over': 'ask the publisher to do that, over SSH',
  },
  positionals: { reference: { type: 'string', describe: 'TREE[@REF]; default: the latest build', demandOption: true } },
  options: {
    ...fromOptions,
    from: { ...fromOptions.from, describe: 'pull the build from here first: dir:PATH or jenkins:JOB' },
    ...publishOptions,
    ...overOption,
  },
  async run(args, context) {
    const reference = parseReference(args.reference)
    if (args.over) return describePublication(await askPublisher('publish', reference, args, context))
    const settings = publishingOf(args, reference.tree, context)
    const store = openStore(settings.root, { create: args.from !== undefined })
    if (args.from === undefined) {
      if (args.running)
        throw usageError('--running says how to read --from, which is missing', 'give --from jenkins:JOB')
      const publication = await publishReference(store, reference, settings, context)
      await warnOfKeyring(configOf(args), store, publication.tree, publication.build, context)
      return describePublication(publication, await uploadsOf(args, store, publication.tree, context))
    }
    const { source, tree, number } = await inSource(reference, { ...args, from: args.from }, context)
    const { fetchedBytes, newObjects } = await pull(store, source, tree, number, context)
    const publication = await publishBuild(store, tree, number, settings, context)
    await warnOfKeyring(configOf(args), store, tree, number, context)
    const uploads = await uploadsOf(args, store, tree, context)
    const outcome = describePublication(publication, uploads)
    return { ...outcome, json: { ...outcome.json, pulled: { fetchedBytes, newObjects } } }
  },
})
