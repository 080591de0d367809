import { rootServiceOf } from '../../agent/root-service-of.js'
import { humanTime } from '../../model/quantity.js'
import { defineCommand } from '../command.js'
import { builderOf, builderOptions } from '../options.js'
import { table } from '../table.js'

export const chrootList = defineCommand({
  name: 'chroot list',
  summary: 'list the roots in which builds run',
  examples: {
    'chroot list': 'those of the configured builder',
    'chroot list --builder /var/lib/treeswap': 'without one',
  },
  positionals: {},
  options: builderOptions,
  async run(args) {
    const chroots = await rootServiceOf(builderOf(args)).list()
    const rows = chroots.map(({ name, created, layers, uidBase, from }) => [
      name,
      humanTime(created),
      String(layers.length),
      String(uidBase),
      from,
    ])
    const text = table(['ROOT', 'CREATED', 'LAYERS', 'UIDS FROM', 'MADE FROM'], rows) || 'no roots'
    return { json: { chroots }, text }
  },
})
