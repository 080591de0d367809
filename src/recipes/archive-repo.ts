import { chainLength, lastingBase } from '../agent/base-build.js'
import { packRepo } from '../artifact/pack-repo.js'
import type { Build } from '../model/build.js'
import { encodeRecipes } from '../model/recipes.js'
import type { RecipeRecord, Recipes } from '../model/recipes.js'
import type { Context } from '../model/report.js'
import { joinLogs } from './join-logs.js'
import type { RepoPlan } from './plan-repo.js'
import { recipesOf } from './repo-outcome.js'
import type { Settled } from './settle.js'
import type { Prepared, RepoRequest } from './prepare-repo.js'

/** Packs the packages of a run, with what is known of their recipes. @throws what packRepo throws */
export async function archiveRepo(
  request: Pick<RepoRequest, 'repo' | 'builder'> & { full: boolean; tools: Record<string, string> },
  made: Prepared & {
    number: number
    output: string
    directory: string
    settled: Settled
    started: string
    extra: RecipeRecord | undefined
  },
  logs: string,
  context: Context,
): Promise<Build> {
  const { repo, builder, full, tools } = request
  const { base, before, plan, number, output, directory, settled, started, extra } = made
  const named = base !== undefined && !full && !made.damage.isDamaged && (await chainLength(base)) < builder.fullEvery
  const recipes = recipesOf({ architecture: repo.architecture, plan, before, settled, number, root: made.root })
  const log = `${logs}.log`
  await joinLogs(
    logs,
    // of one that was not begun, an earlier log may lie there
    settled.outcomes.filter(({ status }) => !['skipped', 'removed'].includes(status)).map((one) => one.base),
    log,
  )
  context.report.step(`packing ${repo.name}@${number}`)
  return await packRepo(
    {
      directory,
      recipes: encodeRecipes(withExtra(recipes, made.keyring?.name, extra)),
      tree: repo.name,
      number,
      output,
      inputs: sourcesOf(plan),
      tools: { ...tools, pacman: made.root.get('pacman') ?? 'unknown' },
      started,
      log,
      ...(named && { base: lastingBase(base, number) }),
    },
    context,
  )
}

function withExtra(recipes: Recipes, name: string | undefined, extra: RecipeRecord | undefined): Recipes {
  if (name === undefined || extra === undefined) return recipes
  return { ...recipes, recipes: new Map([...recipes.recipes, [name, extra]]) }
}

/** The commits that recipes came from, one for each repository. */
function sourcesOf({ recipes }: RepoPlan): Build['inputs'] {
  const inputs = new Map<string, Build['inputs'][number]>()
  for (const { source, commit, commitTime } of recipes.values()) {
    inputs.set(source, { name: source, url: source, commit, commitTime })
  }
  return [...inputs.values()]
}
