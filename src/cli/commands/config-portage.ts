import { loadConfig } from '../../config/load.js'
import { machineOf } from '../../config/trees.js'
import { describeClient, portageConfiguration } from '../../serve/portage.js'
import { acceptedKeys } from '../../signing/accepted-keys.js'
import { defineCommand } from '../command.js'
import { configOption } from '../options.js'
import { warnOfKey } from '../warn-of-key.js'

export const configPortage = defineCommand({
  name: 'config portage',
  summary: 'print the configuration and the commands of a machine that follows a tree',
  examples: {
    'config portage database': 'to read and to copy from',
    'config portage database --json':
      '{ files: [{ path, content }], trust: [{ what, argv }], commands: [{ what, argv }] }, for a script',
  },
  positionals: { tree: { type: 'string', describe: 'machine; may be left out where there is only one' } },
  options: configOption,
  async run(args, context) {
    const config = loadConfig(args.config)
    const { name: tree, repos, mainRepo, sign } = machineOf(config, args.tree)
    const { rsync, http } = config.publisher
    const urls = { ...(rsync !== undefined && { rsync }), ...(http !== undefined && { http }) }
    const key = sign === undefined ? undefined : config.keys.get(sign)
    if (key !== undefined) {
      // nobody is told to trust what clients would not take
      await acceptedKeys(key)
      await warnOfKey(key, context)
    }
    const signed = key !== undefined && { fingerprint: key.fingerprint }
    const client = portageConfiguration({ tree, repos, mainRepo, ...urls, ...signed })
    return { json: { tree, ...client }, text: describeClient(client).trimEnd() }
  },
})
