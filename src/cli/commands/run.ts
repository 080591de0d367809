import { loadConfig } from '../../config/load.js'
import { exitCodes } from '../../model/errors.js'
import { firstFailure, runTrees } from '../../pipeline/run.js'
import { watchTrees } from '../../pipeline/watch.js'
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
    'run instant --rebuild instantwm': 'one pacman repo, and a recipe of it in any case',
  },
  positionals: {
    tree: { type: 'string', array: true, describe: 'machines and pacman repos to bring up to date; default: all' },
  },
  options: {
    watch: { type: 'boolean', default: false, describe: 'go on until stopped, polling at the configured intervals' },
    rebuild: {
      type: 'string',
      array: true,
      describe: 'pkgbase of a recipe to be built in any case; needs the name of one pacman repo',
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
    const request = { trees, asked, tools: { treeswap: version() } }
    if (args.watch) {
      await watchTrees(config, request, context, (outcome) => {
        for (const line of describeRun(outcome).text.split('\n')) context.report.step(line)
      })
      return { json: { stopped: true }, text: '' }
    }
    const outcome = await runTrees(config, request, context)
    const failure = firstFailure(outcome)
    const partial = outcome.pacman.some((repo) => 'partial' in repo && repo.partial)
    const exitCode = failure !== undefined ? exitCodes[failure.category] : partial ? UNSTABLE : 0
    return { ...describeRun(outcome), exitCode }
  },
})
