import { loadConfig } from '../../config/load.js'
import { machineOf } from '../../config/trees.js'
import { describeClient, portageConfiguration } from '../../serve/portage.js'
import { defineCommand } from '../command.js'
import { configOption } from '../options.js'

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
  run(args) {
    const config = loadConfig(args.config)
    const { name: tree, repos, mainRepo, sign } = machineOf(config, args.tree)
    const { rsync, http } = config.publisher
    const urls = { ...(rsync !== undefined && { rsync }), ...(http !== undefined && { http }) }
    const fingerprint = sign === undefined ? undefined : config.keys.get(sign)?.fingerprint
    const signed = fingerprint !== undefined && { fingerprint }
    const client = portageConfiguration({ tree, repos, mainRepo, ...urls, ...signed })
    return Promise.resolve({ json: { tree, ...client }, text: describeClient(client).trimEnd() })
  },
})
