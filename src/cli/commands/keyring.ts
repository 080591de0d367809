import { join, resolve } from 'node:path'
import { keyringPackage } from '../../arch/keyring-package.js'
import type { Config } from '../../config/config.js'
import type { KeyConfig } from '../../config/keys.js'
import { loadConfig } from '../../config/load.js'
import { pacmanRepoOf } from '../../config/trees.js'
import { configurationError } from '../../model/errors.js'
import { makeDirectory, writeAtomically } from '../../system/files.js'
import { defineCommand } from '../command.js'
import { configOption } from '../options.js'
import { warnOfKey } from '../warn-of-key.js'

export const keyring = defineCommand({
  name: 'keyring',
  summary: "make the package with a pacman repo's keys, which clients install first",
  examples: {
    'keyring instant': 'into this directory; every generation of the repo has it, too',
    'keyring instant --out /srv/www': 'for the page that tells people how to begin',
  },
  positionals: { tree: { type: 'string', describe: 'pacman repo; may be left out where there is only one' } },
  options: {
    ...configOption,
    out: { type: 'string', default: '.', describe: 'directory to write it to; made where it is not there' },
  },
  async run(args, context) {
    const config = loadConfig(args.config)
    const { name, trust, revoke, packager } = pacmanRepoOf(config, args.tree)
    if (trust.length === 0) throw nothingTrusted(config, name)
    const keys = (names: readonly string[]): KeyConfig[] => names.flatMap((key) => config.keys.get(key) ?? [])
    const made = await keyringPackage(name, keys(trust), keys(revoke), packager)
    const { fileName, version, bytes } = made
    for (const key of keys(trust)) await warnOfKey(key, context)
    const directory = resolve(args.out)
    const path = join(directory, fileName)
    makeDirectory(directory)
    writeAtomically(path, bytes)
    return {
      json: { tree: name, package: made.name, version, path, trusted: trust, revoked: revoke },
      text: `${path}\nclients: pacman -U ${fileName} (as root; \`treeswap config pacman ${name}\` prints the rest)`,
    }
  },
})

function nothingTrusted({ file }: Config, name: string): Error {
  return configurationError(
    'KEYRING_EMPTY',
    `${file} names no key that clients of ${name} are to trust`,
    `name the key that signs: pacman.${name}.sign, and its files below keys`,
  )
}
