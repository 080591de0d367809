import { join, resolve } from 'node:path'
import { builderDirectories } from '../agent/directories.js'
import { ensureChroot } from '../agent/ensure-chroot.js'
import { rootServiceOf } from '../agent/root-service-of.js'
import { openSource } from '../agent/sources.js'
import { waitingForRoots } from '../agent/wait-for-root.js'
import type { Config } from '../config/config.js'
import { pacmanRepoOf } from '../config/trees.js'
import { junitXml } from '../jenkins/junit.js'
import type { TestCase } from '../jenkins/junit.js'
import { TreeswapError } from '../model/errors.js'
import { count, humanBytes } from '../model/quantity.js'
import type { Context } from '../model/report.js'
import { buildRepo } from '../recipes/build-repo.js'
import { NothingBuilt } from '../recipes/nothing-built.js'
import { recipeCases } from '../recipes/recipe-report.js'
import { keyringOf } from '../recipes/repo-keyring.js'
import type { RecipeOutcome } from '../recipes/repo-outcome.js'
import { now } from '../system/clock.js'
import { makeDirectory, removeTree, writeNew } from '../system/files.js'
import { version } from '../system/version.js'
import { StepFailure } from './build.js'
import { ARTIFACT, packedIn, REPORT } from './files.js'
import type { RequestOf, StepOutcome } from './request.js'

const JUNIT = `${REPORT}/recipes.xml`
/** Seconds: the job's own time limit comes first. */
const WAIT = 7 * 86_400
/** characters of a message */
const MESSAGE = 2000
const MEND = 'see their logs in the test report, and mend the first one that failed'

/**
 * Builds what has changed of a pacman repo as the running build. Where nothing has, there is nothing to archive, and
 * the outcome's values say `unchanged`.
 * @throws StepFailure with what buildRepo threw; TREE_UNKNOWN, and what the sources throw
 */
export async function packagesStep(
  config: Config,
  request: RequestOf<'packages'>,
  context: Context,
): Promise<StepOutcome> {
  const { builder } = config
  const repo = pacmanRepoOf(config, request.repo)
  const output = resolve(ARTIFACT)
  for (const directory of [output, resolve(REPORT)]) removeTree(directory)
  const started = now()
  const service = waitingForRoots(rootServiceOf(builder))
  await ensureChroot(config, repo.chroot, context, service)
  const cases = (recipes: readonly RecipeOutcome[]): TestCase[] =>
    recipeCases(recipes, join(builderDirectories(builder.directory).logs, repo.name), started)
  try {
    const { build, recipes, partial } = await buildRepo(
      {
        repo,
        builder,
        service,
        keyring: keyringOf(config, repo),
        base: openSource(`jenkins:${request.job}`, config, { context }),
        asked: new Set(request.rebuild ?? []),
        output: () => output,
        number: request.number,
        full: request.full ?? false,
        tools: { treeswap: version() },
        wait: WAIT,
      },
      context,
    )
    if (build === undefined) {
      if (!partial) return { description: 'nothing has changed', values: { unchanged: true } }
      throw new NothingBuilt('RECIPES_FAILED', whyPartial(recipes), { category: 'build', hint: MEND }, recipes)
    }
    writeReport(repo.name, cases(recipes))
    return {
      description: `${countsOf(recipes)}, ${humanBytes(packedIn(build))}`,
      ...(partial && { status: 'unstable', message: whyPartial(recipes) }),
      artifacts: [`${ARTIFACT}/*`, JUNIT],
      junit: JUNIT,
      values: { number: build.number, recipes },
    }
  } catch (error) {
    if (!(error instanceof TreeswapError) || error.category === 'aborted') throw error
    const { code, message, hint } = error
    const failed = error instanceof NothingBuilt ? cases(error.recipes) : []
    const whole = { name: repo.name, status: 'failed' as const, code, message, hint, output: '' }
    writeReport(repo.name, failed.length > 0 ? failed : [whole])
    throw new StepFailure(error, { artifacts: [JUNIT], junit: JUNIT })
  }
}

function writeReport(suite: string, cases: readonly TestCase[]): void {
  makeDirectory(resolve(REPORT))
  writeNew(resolve(JUNIT), junitXml(suite, cases))
}

const words = {
  built: 'built',
  removed: 'removed',
  failed: 'failed',
  skipped: 'skipped',
  held: 'held back',
} satisfies Record<RecipeOutcome['status'], string>

/** `3 recipes built, 1 failed` */
function countsOf(recipes: readonly RecipeOutcome[]): string {
  const counts = (Object.keys(words) as RecipeOutcome['status'][])
    .map((status) => ({ status, amount: recipes.filter((one) => one.status === status).length }))
    .filter(({ amount }) => amount > 0)
  return counts
    .map(({ status, amount }, index) => `${index === 0 ? count(amount, 'recipe') : amount} ${words[status]}`)
    .join(', ')
}

/** What stayed as it was though it should have been built, what failed first. */
function whyPartial(recipes: readonly RecipeOutcome[]): string {
  const failed = recipes.filter(({ status }) => status === 'failed')
  const others = recipes.filter(({ status }) => status === 'skipped' || status === 'held')
  return [...failed, ...others]
    .map(
      ({ base, status, reason = '' }) =>
        `${base} ${status === 'failed' ? 'failed' : `was ${words[status]}`}: ${reason}`,
    )
    .join('; ')
    .slice(0, MESSAGE)
}
