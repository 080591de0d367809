import { loadConfig } from '../../config/load.js'
import { pacmanRepoOf } from '../../config/trees.js'
import { baseUrlProblem } from '../../config/urls.js'
import { describePacmanClient, pacmanConfiguration } from '../../serve/pacman.js'
import { defineCommand } from '../command.js'
import { configOption } from '../options.js'
import { usageError } from '../usage-error.js'

export const configPacman = defineCommand({
  name: 'config pacman',
  summary: 'print what a machine needs that installs from a pacman repo',
  examples: {
    'config pacman instant': 'the section of pacman.conf, and how to take over the key',
    'config pacman instant --url https://www.example.org/repos': 'for clients of an uploaded copy',
    'config pacman instant --json': '{ section, commands: [{ what, argv }] }, for a script',
  },
  positionals: { tree: { type: 'string', describe: 'pacman repo; may be left out where there is only one' } },
  options: {
    url: { type: 'string', describe: 'what stands before /TREE/os; default: /pacman of publisher.http' },
    ...configOption,
  },
  run(args) {
    const config = loadConfig(args.config)
    const { name: tree, architecture, sign, debug } = pacmanRepoOf(config, args.tree)
    const problem = args.url === undefined ? undefined : baseUrlProblem(args.url, ['http', 'https'])
    if (problem !== undefined)
      throw usageError(`--url ${args.url ?? ''}: ${problem}`, 'for example https://example.org')
    const { http } = config.publisher
    const url = args.url?.replace(/\/+$/, '') ?? (http === undefined ? undefined : `${http}/pacman`)
    const fingerprint = sign === undefined ? undefined : config.keys.get(sign)?.fingerprint
    const client = pacmanConfiguration({ tree, architecture, url, fingerprint, debug })
    return Promise.resolve({ json: { tree, ...client }, text: describePacmanClient(client).trimEnd() })
  },
})
