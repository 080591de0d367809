import { count, humanBytes } from '../../model/quantity.js'
import { parseReference } from '../../model/reference.js'
import { pull as pullBuild } from '../../store/pull.js'
import { defineCommand } from '../command.js'
import { fromOptions, publisherOptions, storeOf } from '../options.js'
import { inSource } from '../pull-reference.js'

export const pull = defineCommand({
  name: 'pull',
  summary: 'bring a build into the store, verified, without publishing it',
  examples: {
    'pull database@12 --from dir:/var/lib/treeswap/artifacts': 'one build',
    'pull database@12 --from jenkins:treeswap/machines/database': 'from Jenkins, only what the store lacks',
    'pull database --from dir:/mnt/artifacts --root /srv/treeswap': 'the latest one, without a configuration',
  },
  positionals: {
    reference: { type: 'string', describe: 'TREE[@N]; default: the latest in the source', demandOption: true },
  },
  options: {
    ...fromOptions,
    from: { ...fromOptions.from, demandOption: true },
    ...publisherOptions,
  },
  async run(args, context) {
    const { source, tree, number, name } = await inSource(parseReference(args.reference), args, context)
    const { already, fetchedBytes, newObjects } = await pullBuild(
      storeOf(args, { create: true }),
      source,
      tree,
      number,
      context,
    )
    const json = { tree, number, already, fetchedBytes, newObjects }
    const fetched = `${humanBytes(fetchedBytes)} fetched, ${count(newObjects, 'new object')}`
    return { json, text: already ? `${name} was there already (${fetched})` : `${name} is in the store: ${fetched}` }
  },
})
