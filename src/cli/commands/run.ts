import { builderDirectories } from '../../agent/directories.js'
import { loadConfig } from '../../config/load.js'
import { exitCodes } from '../../model/errors.js'
import { FailedBuilds } from '../../pipeline/failed-builds.js'
import { firstFailure, runTrees } from '../../pipeline/run.js'
import { watchTrees } from '../../pipeline/watch.js'
import { TriedRecipes } from '../../recipes/wanted-recipes.js'
import { version } from '../../system/version.js'
import { defineCommand, UNSTABLE } from '../command.js'
import { configOption } from '../options.js'
import { describeRun } from '../run-outcome.js'
import { usageError } from '../usage-error.js'

export const run = defineCommand({
  name: 'run',
  summary: 'fetch, build what has changed and publish what succeeded',
  examples: {
    run: 'every machine and pacman repo of the configuration, once',
    'run database --config treeswap.yaml': 'one machine',
    'run --watch': 'again and again, at the configured intervals',
    'run --if-changed': 'by a timer: not trying at every turn what has failed; exit code 0 where nothing is new',
    'run instant --rebuild instantwm': 'one pacman repo, and a recipe of it in any case',
  },
  positionals: {
    tree: { type: 'string', array: true, describe: 'machines and pacman repos to bring up to date; default: all' },
  },
  options: {
    watch: { type: 'boolean', default: false, describe: 'go on until stopped, polling at the configured intervals' },
    'if-changed': {
      type: 'boolean',
      default: false,
      describe: 'do not try again what failed before something of it has changed; what failed in a recipe, after a day',
    },
    verbose: {
      type: 'boolean',
      default: false,
      describe: 'pacman repos: print also what makepkg says, which is in the logs of recipes in any case',
    },
    rebuild: {
      type: 'string',
      array: true,
      describe: 'pkgbase of a recipe to be built in any case, or `all`; needs the name of one pacman repo',
    },
    ...configOption,
  },
  async run(args, context) {
    const config = loadConfig(args.config)
    const trees = args.tree ?? []
    const asked = new Set(args.rebuild ?? [])
    if (asked.size > 0 && (args.watch || trees.length !== 1 || !config.pacman.has(trees[0] ?? ''))) {
      throw usageError('--rebuild is for one pacman repo', 'name it: `treeswap run NAME --rebuild RECIPE`')
    }
    const ifChanged = args['if-changed']
    if (ifChanged && (args.watch || asked.size > 0)) {
      throw usageError(
        '--if-changed is for runs of a timer',
        args.watch ? 'leave it off: --watch does the same' : 'leave it off: --rebuild asks for a build in any case',
      )
    }
    const request = { trees, asked, tools: { treeswap: version() }, verbose: args.verbose }
    if (args.watch) {
      await watchTrees(config, request, context, (outcome) => {
        for (const line of describeRun(outcome).text.split('\n')) context.report.step(line)
      })
      return { json: { stopped: true }, text: '' }
    }
    const { tried: directory } = builderDirectories(config.builder.directory)
    const failed = FailedBuilds.kept(directory, ifChanged)
    const tried = TriedRecipes.kept(directory, ifChanged)
    const outcome = await runTrees(config, { ...request, failed, tried }, context)
    const failure = firstFailure(outcome)
    const partial = outcome.pacman.some((repo) => 'partial' in repo && repo.partial && !(ifChanged && repo.known))
    const exitCode = failure !== undefined ? exitCodes[failure.category] : partial ? UNSTABLE : 0
    return { ...describeRun(outcome), exitCode }
  },
})
