import { ensureChroot } from '../../agent/ensure-chroot.js'
import { openSource } from '../../agent/sources.js'
import { loadConfig } from '../../config/load.js'
import { pacmanRepoOf } from '../../config/trees.js'
import { planAside } from '../../recipes/plan-aside.js'
import { keyringOf } from '../../recipes/repo-keyring.js'
import { defineCommand } from '../command.js'
import { configOption } from '../options.js'
import { plainError } from '../plain-error.js'

export const plan = defineCommand({
  name: 'plan',
  summary: 'say what would be built of a pacman repo, in which order, and why',
  examples: {
    'plan instant': 'what the next run would build',
    'plan instant --rebuild instantwm --json': 'and what a rebuild would bring with it, for scripts',
  },
  positionals: { tree: { type: 'string', describe: 'pacman repo of the configuration', demandOption: true } },
  options: {
    rebuild: { type: 'string', array: true, describe: 'pkgbase of a recipe to be built in any case' },
    base: { type: 'string', describe: 'SOURCE of earlier builds; default: builder.artifacts' },
    all: { type: 'boolean', default: false, describe: 'name recipes that stay as they are, too' },
    ...configOption,
  },
  async run(args, context) {
    const config = loadConfig(args.config)
    const repo = pacmanRepoOf(config, args.tree)
    await ensureChroot(config, repo.chroot, context)
    const base = openSource(args.base ?? config.builder.artifacts, config, { context })
    const request = {
      repo,
      builder: config.builder,
      base,
      asked: new Set(args.rebuild ?? []),
      keyring: keyringOf(config, repo),
    }
    const found = await planAside(request, context)
    return { json: jsonOf(found), text: textOf(found, args.all) }
  },
})

type Plan = Awaited<ReturnType<typeof planAside>>

function jsonOf(plan: Plan): Record<string, unknown> {
  const { steps, recipes, removed, replaced, unresolved, broken, warnings, newKeyring } = plan
  return {
    steps: steps.map(({ base, action, why, needs, previous }) => {
      const recipe = recipes.get(base)
      return {
        base,
        action,
        why,
        needs,
        previous: previous ?? null,
        version: recipe?.srcinfo.version ?? null,
        source: recipe?.source ?? null,
        directory: recipe?.path ?? null,
        tag: recipe?.release?.tag ?? null,
      }
    }),
    keyring: newKeyring === undefined ? null : { name: newKeyring.name, version: newKeyring.version },
    removed,
    replaced,
    outside: [...unresolved.keys()],
    broken: broken.map(({ base, error }) => ({ base, error: plainError(error) })),
    warnings,
  }
}

function textOf({ steps, recipes, removed, replaced, broken, newKeyring }: Plan, all: boolean): string {
  const lines = [
    ...steps.flatMap(({ base, action, why }) => {
      const recipe = recipes.get(base)
      const from = recipe?.release === undefined ? recipe?.source : `tag ${recipe.release.tag} of ${recipe.source}`
      if (action === 'build') return [`build ${base} (${from ?? 'unknown'}): ${why.join('; ')}`]
      return all ? [`keep ${base}`] : []
    }),
    ...(newKeyring === undefined ? [] : [`make ${newKeyring.name} ${newKeyring.version}: the keys have changed`]),
    ...removed.map((base) => `remove ${base}: no source has it any more`),
    ...replaced.map(({ base, source, why }) => `leave out ${base} of ${source}: ${why}`),
    ...broken.map(({ base, error }) => `keep ${base}: ${error.message} [${error.code}]`),
  ]
  return lines.length === 0 ? 'nothing to build' : lines.join('\n')
}
