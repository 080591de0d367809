import { loadConfig } from '../../config/load.js'
import { exitCodes } from '../../model/errors.js'
import { parseReference } from '../../model/reference.js'
import { uploadPublished } from '../../pipeline/upload.js'
import { openStore } from '../../store/layout.js'
import { defineCommand } from '../command.js'
import { configOption } from '../options.js'
import { describeUpload } from '../upload-outcome.js'
import { usageError } from '../usage-error.js'

export const upload = defineCommand({
  name: 'upload',
  summary: 'bring what is published of a pacman repo to its web hosts by SFTP, where clients meet no broken moment',
  examples: {
    'upload extra': 'to all hosts of pacman.extra.upload: what they do not have; exit code 13 when one failed',
    'upload extra@published --to mirror': 'the same, to one of them',
    'upload extra --json': 'files, bytes and seconds of each host, for a monitor',
  },
  positionals: {
    reference: { type: 'string', describe: 'TREE or TREE@published: nothing else is uploaded', demandOption: true },
  },
  options: {
    to: { type: 'string', describe: 'upload to this host only; default: all that the repo names' },
    ...configOption,
  },
  async run(args, context) {
    const { tree, build = { kind: 'published' } } = parseReference(args.reference)
    if (build.kind !== 'published') {
      throw usageError(`${args.reference}: only what is published is uploaded`, `publish it first, then upload ${tree}`)
    }
    const config = loadConfig(args.config)
    const store = openStore(config.publisher.root)
    const uploaded = await uploadPublished(store, config, tree, { to: args.to }, context)
    const failed = uploaded.hosts.some(({ error }) => error !== undefined)
    return { ...describeUpload(uploaded), exitCode: failed ? exitCodes.publish : 0 }
  },
})
