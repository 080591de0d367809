import { openRootService } from '../../chroot/root-service.js'
import { builderDirectories } from '../../pipeline/directories.js'
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
  run(args) {
    const chroots = openRootService(builderDirectories(builderOf(args).directory).chroots).list()
    const rows = chroots.map(({ name, created, layers, uidBase, from }) => [
      name,
      created,
      String(layers.length),
      String(uidBase),
      from,
    ])
    const text = table(['ROOT', 'CREATED', 'LAYERS', 'UIDS FROM', 'MADE FROM'], rows) || 'no roots'
    return Promise.resolve({ json: { chroots }, text })
  },
})
