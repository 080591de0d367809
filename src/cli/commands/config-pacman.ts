import type { KeyConfig } from '../../config/keys.js'
import { loadConfig } from '../../config/load.js'
import { pacmanRepoOf } from '../../config/trees.js'
import { baseUrlProblem } from '../../config/urls.js'
import { describePacmanClient, pacmanConfiguration } from '../../serve/pacman.js'
import { acceptedKeys } from '../../signing/accepted-keys.js'
import { publicKeys } from '../../signing/public-keys.js'
import { defineCommand } from '../command.js'
import { configOption } from '../options.js'
import { usageError } from '../usage-error.js'
import { warnOfKey } from '../warn-of-key.js'

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
  async run(args, context) {
    const config = loadConfig(args.config)
    const { name: tree, architecture, sign, trust, revoke, debug } = pacmanRepoOf(config, args.tree)
    const problem = args.url === undefined ? undefined : baseUrlProblem(args.url, ['http', 'https'])
    if (problem !== undefined)
      throw usageError(`--url ${args.url ?? ''}: ${problem}`, 'for example https://example.org')
    const { http } = config.publisher
    const url = args.url?.replace(/\/+$/, '') ?? (http === undefined ? undefined : `${http}/pacman`)
    const keys = (names: readonly string[]): KeyConfig[] => names.flatMap((name) => config.keys.get(name) ?? [])
    const [signing] = keys(sign === undefined ? [] : [sign])
    // nobody is told to trust what clients would not take, or what is another key
    if (signing !== undefined) await acceptedKeys(signing)
    await publicKeys(keys(trust), keys(revoke))
    for (const key of keys(trust)) await warnOfKey(key, context)
    const { fingerprint } = signing ?? {}
    const client = pacmanConfiguration({ tree, architecture, url, fingerprint, keyring: trust.length > 0, debug })
    return { json: { tree, ...client }, text: describePacmanClient(client).trimEnd() }
  },
})
