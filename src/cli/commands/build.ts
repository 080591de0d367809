import { resolve } from 'node:path'
import { ensureChroot } from '../../agent/ensure-chroot.js'
import { openSource } from '../../agent/sources.js'
import type { ArtifactSource } from '../../artifact/source.js'
import type { Config, MachineConfig } from '../../config/config.js'
import { loadConfig } from '../../config/load.js'
import type { PacmanConfig } from '../../config/pacman.js'
import { treeOf } from '../../config/trees.js'
import { describeCheckout } from '../../git/git.js'
import { buildTree } from '../../machines/build.js'
import { machineInputs } from '../../machines/inputs.js'
import { chooseSnapshot } from '../../machines/repo-snapshots.js'
import type { ChosenSnapshot } from '../../machines/repo-snapshots.js'
import { configurationError } from '../../model/errors.js'
import type { Context } from '../../model/report.js'
import { buildRepo } from '../../recipes/build-repo.js'
import { keyringOf } from '../../recipes/repo-keyring.js'
import { version } from '../../system/version.js'
import { describeArtifact } from '../artifact-outcome.js'
import { defineCommand, UNSTABLE } from '../command.js'
import type { Outcome } from '../command.js'
import { buildNumber, configOption } from '../options.js'
import { describeRecipe } from '../recipe-outcome.js'
import { usageError } from '../usage-error.js'

export const build = defineCommand({
  name: 'build',
  summary: 'build a machine or a pacman repo and archive the result',
  examples: {
    'build database --repo gentoo=dir:artifacts --profile profiles/database --out artifacts/database/1':
      'a first build',
    'build database --repo gentoo=dir:artifacts@12 --profile p --out artifacts/database/2 --base dir:artifacts':
      'naming what build 1 has, with a certain snapshot of gentoo',
    'build instant --out artifacts/instant/2 --base dir:artifacts':
      'a pacman repo: what has changed since its last build',
    'build instant --out artifacts/instant/3 --rebuild instantwm': 'and a recipe that has not',
  },
  positionals: {
    tree: { type: 'string', describe: 'machine or pacman repo of the configuration', demandOption: true },
  },
  options: {
    repo: {
      type: 'string',
      array: true,
      describe: 'machines: NAME=SOURCE[@N], snapshot of an ebuild repo, one for each that the machine has',
    },
    profile: {
      type: 'string',
      describe: "machines: checkout of the profile, the machine's own directory in it",
    },
    out: { type: 'string', demandOption: true, describe: 'directory to make' },
    base: {
      type: 'string',
      describe:
        'SOURCE of earlier builds: packages that the last one has are not packed again; default for pacman repos: builder.artifacts',
    },
    full: { type: 'boolean', default: false, describe: 'pack every package, naming no earlier build' },
    rebuild: {
      type: 'string',
      array: true,
      describe: 'pacman repos: pkgbase of a recipe to be built in any case, or `all`',
    },
    number: { type: 'string', describe: 'number of the build; default: one more than the last in --base, or 1' },
    ...configOption,
  },
  async run(args, context) {
    const config = loadConfig(args.config)
    const tree = treeOf(config, args.tree)
    const { repo: given, profile, rebuild, full } = args
    const from = args.base ?? (tree.kind === 'pacman-repo' ? config.builder.artifacts : undefined)
    const base = from === undefined ? undefined : openSource(from, config, { context })
    const number = args.number === undefined ? undefined : buildNumber('--number', args.number)
    const common = { base, number, full, output: resolve(args.out), tools: { treeswap: version() } }
    if (tree.kind === 'pacman-repo') {
      if (given !== undefined || profile !== undefined) {
        throw usageError(`${args.tree} is a pacman repo`, '--repo and --profile are for machines: leave them off')
      }
      return await buildPacman(config, tree.repo, { ...common, asked: new Set(rebuild ?? []) }, context)
    }
    if (given === undefined || profile === undefined || rebuild !== undefined) {
      throw usageError(
        `${args.tree} is a machine`,
        'give --profile DIR and one --repo NAME=SOURCE for each of its ebuild repos; --rebuild is for pacman repos',
      )
    }
    return await buildMachine(config, tree.machine, { ...common, repos: given, profile: resolve(profile) }, context)
  },
})

interface Common {
  base: ArtifactSource | undefined
  number: number | undefined
  full: boolean
  output: string
  tools: Record<string, string>
}

async function buildMachine(
  config: Config,
  machine: MachineConfig,
  { repos, ...asked }: Common & { repos: readonly string[]; profile: string },
  context: Context,
): Promise<Outcome> {
  const snapshots = await Promise.all(repos.map((repo) => chooseSnapshot(repo, config, context)))
  requireAll(machine, snapshots)
  const checkout = await describeCheckout(asked.profile, context)
  const inputs = machineInputs(machine, snapshots, {
    ...(checkout !== undefined && { commit: checkout.commit, commitTime: checkout.commitTime }),
  })
  const request = { machine, builder: config.builder, snapshots, inputs, ...asked }
  const { build: made, ...report } = await buildTree(request, context)
  return describeArtifact(made, asked.output, { ...report })
}

async function buildPacman(
  config: Config,
  repo: PacmanConfig,
  asked: Common & { asked: ReadonlySet<string> },
  context: Context,
): Promise<Outcome> {
  const { output } = asked
  await ensureChroot(config, repo.chroot, context)
  const keyring = keyringOf(config, repo)
  const report = await buildRepo({ repo, builder: config.builder, keyring, ...asked, output: () => output }, context)
  const { build: made, recipes, partial } = report
  const lines = recipes.map(describeRecipe)
  const exitCode = partial ? UNSTABLE : 0
  if (made === undefined) {
    const text = [`${repo.name}: nothing has changed`, ...lines].join('\n')
    return { json: { build: null, recipes, partial }, text, exitCode }
  }
  const outcome = describeArtifact(made, output, { recipes, partial })
  return { ...outcome, text: [outcome.text, ...lines].join('\n'), exitCode }
}

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
