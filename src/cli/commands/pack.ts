import { resolve } from 'node:path'
import { packTree } from '../../artifact/pack-tree.js'
import type { PackBase } from '../../artifact/pack.js'
import { fetchManifest, openArtifact } from '../../artifact/source.js'
import { packagesPack } from '../../model/build.js'
import { configurationError } from '../../model/errors.js'
import { validName } from '../../model/names.js'
import { describeArtifact } from '../artifact-outcome.js'
import { defineCommand } from '../command.js'
import { buildNumber } from '../options.js'

export const pack = defineCommand({
  name: 'pack',
  summary: 'archive a directory with repos/, binpkgs/, etc-portage/ and var-lib-portage/ as a build',
  examples: {
    'pack result --tree database --number 12 --out artifacts/database/12': 'everything',
    'pack result --tree database --number 13 --out artifacts/database/13 --base artifacts/database/12':
      'packages that build 12 has are named instead of packed',
  },
  positionals: { directory: { type: 'string', describe: 'directory to archive', demandOption: true } },
  options: {
    tree: { type: 'string', demandOption: true, describe: 'name of the tree' },
    number: { type: 'string', demandOption: true, describe: 'number of the build' },
    out: { type: 'string', demandOption: true, describe: 'directory to make' },
    base: { type: 'string', describe: 'artifact of an earlier build: packages that it has are not packed again' },
    root: { type: 'string', describe: "taken as by the publisher's other commands; packing needs no store" },
  },
  async run(args, context) {
    const output = resolve(args.out)
    const base = args.base === undefined ? undefined : await baseOf(resolve(args.base), args.tree)
    const build = await packTree(
      {
        directory: resolve(args.directory),
        tree: validName('tree', args.tree),
        number: buildNumber('--number', args.number),
        output,
        ...(base !== undefined && { base }),
      },
      context,
    )
    return describeArtifact(build, output)
  },
})

async function baseOf(directory: string, tree: string): Promise<PackBase> {
  const { source, item, build } = openArtifact(directory)
  const packages = packagesPack(build)
  if (build.kind !== 'machine' || build.name !== tree || packages === undefined) {
    throw configurationError(
      'BASE_DIFFERENT',
      `${directory} is build ${build.number} of ${build.name}, not of the machine ${tree}`,
      `name an earlier build of ${tree} with --base, or leave --base off to pack everything`,
    )
  }
  const manifest = await fetchManifest(source, item, build.number, packages)
  const originExists = async (number: number): Promise<boolean> => (await source.numbers(item)).includes(number)
  return { number: build.number, manifest, originExists }
}
