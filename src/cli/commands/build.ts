import { resolve } from 'node:path'
import type { MachineConfig } from '../../config/config.js'
import { loadConfig } from '../../config/load.js'
import { machineOf } from '../../config/machine.js'
import { configurationError } from '../../model/errors.js'
import { buildTree } from '../../pipeline/build.js'
import { describeCheckout } from '../../pipeline/git.js'
import { machineInputs } from '../../pipeline/inputs.js'
import { chooseSnapshot } from '../../pipeline/repo-snapshots.js'
import type { ChosenSnapshot } from '../../pipeline/repo-snapshots.js'
import { openSource } from '../../pipeline/sources.js'
import { version } from '../../system/version.js'
import { describeArtifact } from '../artifact-outcome.js'
import { defineCommand } from '../command.js'
import { buildNumber, configOption } from '../options.js'

export const build = defineCommand({
  name: 'build',
  summary: 'update a machine in its root and archive the result',
  examples: {
    'build database --repo gentoo=dir:artifacts --profile profiles/database --out artifacts/database/1':
      'a first build',
    'build database --repo gentoo=dir:artifacts@12 --profile p --out artifacts/database/2 --base dir:artifacts':
      'naming what build 1 has, with a certain snapshot of gentoo',
  },
  positionals: { tree: { type: 'string', describe: 'machine of the configuration', demandOption: true } },
  options: {
    repo: {
      type: 'string',
      array: true,
      demandOption: true,
      describe: 'NAME=SOURCE[@N]: snapshot of an ebuild repo, one for each that the machine has',
    },
    profile: {
      type: 'string',
      demandOption: true,
      describe: "checkout of the profile: the machine's own directory in it",
    },
    out: { type: 'string', demandOption: true, describe: 'directory to make' },
    base: { type: 'string', describe: 'SOURCE of earlier builds: packages that the last one has are not packed again' },
    full: { type: 'boolean', default: false, describe: 'pack every package, naming no earlier build' },
    number: { type: 'string', describe: 'number of the build; default: one more than the last in --base, or 1' },
    ...configOption,
  },
  async run(args, context) {
    const config = loadConfig(args.config)
    const machine = machineOf(config, args.tree)
    const base = args.base === undefined ? undefined : openSource(args.base, config, { context })
    const snapshots = await Promise.all(args.repo.map((repo) => chooseSnapshot(repo, config, context)))
    requireAll(machine, snapshots)
    const profile = resolve(args.profile)
    const checkout = await describeCheckout(profile, context)
    const output = resolve(args.out)
    const { build: made, ...report } = await buildTree(
      {
        machine,
        builder: config.builder,
        snapshots,
        profile,
        inputs: machineInputs(machine, snapshots, {
          ...(checkout !== undefined && { commit: checkout.commit, commitTime: checkout.commitTime }),
        }),
        output,
        number: args.number === undefined ? undefined : buildNumber('--number', args.number),
        base,
        full: args.full,
        tools: { treeswap: version() },
      },
      context,
    )
    return describeArtifact(made, output, { ...report })
  },
})

function requireAll({ name, repos }: MachineConfig, snapshots: readonly ChosenSnapshot[]): void {
  const given = snapshots.map((snapshot) => snapshot.name)
  const missing = repos.filter((repo) => !given.includes(repo))
  const foreign = given.filter((repo) => !repos.includes(repo))
  if (missing.length === 0 && foreign.length === 0 && given.length === repos.length) return
  throw configurationError(
    'REPOS_DIFFERENT',
    `${name} is built from the ebuild repos ${repos.join(', ')}, but --repo names ${given.join(', ')}`,
    `give one --repo NAME=SOURCE for each of ${repos.join(', ')}`,
  )
}
