import { rootServiceOf } from '../../agent/root-service-of.js'
import { defineCommand } from '../command.js'
import { builderOf, builderOptions } from '../options.js'

export const chrootRemove = defineCommand({
  name: 'chroot remove',
  summary: 'remove a root; what was built in it stays',
  examples: { 'chroot remove database': 'the next run makes it anew where the configuration says from what' },
  positionals: { name: { type: 'string', describe: 'name of the root', demandOption: true } },
  options: builderOptions,
  async run(args, context) {
    await rootServiceOf(builderOf(args)).remove(args.name, context)
    return { json: { removed: args.name }, text: `the root ${args.name} is removed` }
  },
})
