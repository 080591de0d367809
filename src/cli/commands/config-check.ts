import { loadConfig } from '../../config/load.js'
import { count } from '../../model/quantity.js'
import { defineCommand } from '../command.js'
import { configOption } from '../options.js'

export const configCheck = defineCommand({
  name: 'config check',
  summary: 'check the configuration and name every fault at its line',
  examples: {
    'config check': 'checks ./treeswap.yaml or /etc/treeswap/treeswap.yaml',
    'config check --config new.yaml': 'checks a file before it is put in place',
  },
  positionals: {},
  options: configOption,
  async run({ config: file }) {
    const { file: path, machines, repos, pacman } = await Promise.resolve(loadConfig(file))
    const json = { file: path, machines: [...machines.keys()], repos: [...repos.keys()], pacman: [...pacman.keys()] }
    const counted = [
      ...[count(machines.size, 'machine'), count(repos.size, 'ebuild repo')],
      ...(pacman.size > 0 ? [count(pacman.size, 'pacman repo')] : []),
    ]
    return { json, text: `${path} is fine: ${counted.join(', ')}` }
  },
})
