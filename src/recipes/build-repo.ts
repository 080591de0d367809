import { join } from 'node:path'
import { restoreFiles } from '../agent/base-build.js'
import type { BaseBuild } from '../agent/base-build.js'
import type { BuilderDirectories } from '../agent/directories.js'
import { lackingIn } from '../arch/root-packages.js'
import { refuseExisting } from '../artifact/write.js'
import type { RootService } from '../chroot/requests.js'
import type { Build } from '../model/build.js'
import type { Context } from '../model/report.js'
import { now } from '../system/clock.js'
import { linkOrCopy, makeDirectory, makeTemporaryDirectory, removeTree } from '../system/files.js'
import { replaceDirectory } from '../system/replace-directory.js'
import { archiveRepo } from './archive-repo.js'
import { buildRecipes } from './build-recipes.js'
import type { RecipesRun } from './build-recipes.js'
import { lostRecipes, requireRebuilt, requireTaken } from './lost-packages.js'
import { nothingBuilt } from './nothing-built.js'
import { pastPackages, risingAbove, withoutChanged } from './past-packages.js'
import type { RepoPlan } from './plan-repo.js'
import { prepare, withRepoLocked } from './prepare-repo.js'
import type { Prepared, RepoRequest } from './prepare-repo.js'
import { addKeyring, isNewKeyring } from './repo-keyring.js'
import { failedRecipe, oncePerRecipe } from './repo-outcome.js'
import type { RecipeOutcome } from './repo-outcome.js'
import { treePackages } from './repo-packages.js'
import type { TreePackage } from './repo-packages.js'
import { settle } from './settle.js'
import { sweep } from './sweep.js'
import { withUnknown } from './unknown-recipes.js'
import { wantedOf } from './wanted-recipes.js'
import type { WantedRecipes } from './wanted-recipes.js'

export interface RepoBuildRequest extends RepoRequest {
  /** where the artifact goes, by its number */
  output: (number: number) => string
  /** undefined: one more than the last build in `base` has, or 1 */
  number: number | undefined
  /** pack everything, naming no earlier build */
  full: boolean
  tools: Record<string, string>
  /** asked when it is known what there is to do; false: nothing is done. Default: everything */
  isWorthwhile?: (wanted: WantedRecipes) => boolean
}

export interface RepoBuildReport {
  /** undefined: nothing has changed */
  build: Build | undefined
  output: string | undefined
  /** every recipe that was not just kept, and those that are gone */
  recipes: RecipeOutcome[]
  /** whether something stayed as it was that should have been built */
  partial: boolean
  /** recipes that were found not to be worth another try */
  left?: string[]
}

/**
 * Builds what has to be of a pacman repo and archives the whole of it. A recipe that fails leaves its packages as they
 * were; where nothing could be built at all, nothing is archived.
 * @throws RECIPES_FAILED, PACKAGE_CHANGED, and what planRepo, buildRecipes and packRepo throw
 */
export async function buildRepo(request: RepoBuildRequest, context: Context): Promise<RepoBuildReport> {
  return await withRepoLocked(request, context, (directories, service) =>
    buildLocked(request, directories, service, context),
  )
}

async function buildLocked(
  request: RepoBuildRequest,
  directories: BuilderDirectories,
  service: RootService,
  context: Context,
): Promise<RepoBuildReport> {
  const { repo } = request
  const started = new Date(now()).toISOString()
  const prepared = await prepare(request, directories, service, context)
  const { base, before, plan, damage } = prepared
  const broken = oncePerRecipe(plan.broken.map(({ base: name, error }) => failedRecipe(name, error)))
  const { keyring } = prepared
  const isNew = isNewKeyring(keyring, before)
  const wanted = wantedOf(plan, isNew ? keyring : undefined)
  if (wanted.size === 0) {
    if (before === undefined && broken.length > 0)
      throw nothingBuilt(
        repo.name,
        broken,
        plan.broken.map(({ error }) => error),
      )
    return { build: undefined, output: undefined, recipes: broken, partial: broken.length > 0 }
  }
  if (request.isWorthwhile?.(wanted) === false)
    return { build: undefined, output: undefined, recipes: broken, partial: true, left: [...wanted.keys()] }
  const number = request.number ?? (base?.number ?? 0) + 1
  const output = request.output(number)
  refuseExisting(output)
  const finished = join(directories.packages, repo.name)
  const work = makeTemporaryDirectory(join(directories.work, 'run-'))
  const logs = join(directories.logs, repo.name)
  try {
    const { base: whole, lost } = await restored(prepared, finished, directories.work, context)
    const had = await treePackages(whole, before, finished, directories.records, context)
    const past = await pastPackages(base, damage)
    const packages = new Map([...had].filter(([name, one]) => !isLeaving(name, one, plan)))
    const run: RecipesRun = { repo, plan: risingAbove(plan, past), directories, service, packages, work, logs }
    const outcome = withoutChanged(await buildRecipes(run, context), past)
    const settled = await settle(plan, outcome, had, (names) => lackingIn(names, repo.chroot, service, context))
    if (settled.outcomes.every(({ status }) => !['built', 'removed'].includes(status)) && !isNew) {
      const errors = [...outcome.failed.values(), ...plan.broken.map(({ error }) => error)]
      throw nothingBuilt(repo.name, oncePerRecipe([...settled.outcomes, ...broken]), errors)
    }
    requireTaken(lost, settled, keyring?.name)
    const known = before && withUnknown(before, lost)
    const isLost = keyring !== undefined && lost.has(keyring.name)
    const newest = isLost ? await request.keyring?.(known) : keyring
    const extra = newest && (await addKeyring(newest, known, settled, { number, work }, context))
    const directory = join(work, 'packages')
    makeDirectory(directory)
    for (const { path, file } of settled.packages.values()) linkOrCopy(path, join(directory, file))
    const build = await archiveRepo(
      request,
      { ...prepared, number, output, directory, settled, started, extra },
      logs,
      context,
    )
    replaceDirectory(directory, finished)
    await sweep(repo, plan, prepared.clones, directories, service, context)
    const outcomes = oncePerRecipe([...settled.outcomes, ...broken]).filter(
      // what was taken for a recipe is a package of one
      ({ base: name, status }) => !(prepared.isGuess && status === 'removed' && settled.packages.has(name)),
    )
    return {
      build,
      output,
      recipes: outcomes,
      partial: outcomes.some(({ status }) => !['built', 'removed'].includes(status)),
    }
  } finally {
    removeRun(work, context)
  }
}

/**
 * Puts back what the agent lacks of the base build's packages.
 * @returns the base build without those that are lost, and pkgbase of their recipes
 * @throws BASE_DAMAGED where these would not be built anew
 */
async function restored(
  { base, before, plan, keyring, damage }: Prepared,
  finished: string,
  work: string,
  context: Context,
): Promise<{ base: BaseBuild | undefined; lost: Set<string> }> {
  if (base === undefined || before === undefined) return { base, lost: new Set() }
  makeDirectory(finished)
  const files = await restoreFiles(base, finished, work, context)
  requireRebuilt({ base, before, files }, plan, keyring?.name, damage)
  const entries = base.manifest.entries.filter(({ path }) => !files.has(path))
  return { base: { ...base, manifest: { entries } }, lost: lostRecipes(base, before, files) }
}

/** Whether a package goes with its recipe: nothing is built with it any more, as no other recipe makes it. */
function isLeaving(name: string, { base }: TreePackage, { removed, recipes }: RepoPlan): boolean {
  return (
    removed.includes(base) &&
    ![...recipes.values()].some(({ srcinfo }) => srcinfo.packages.some((one) => one.name === name))
  )
}

/** The next run removes what this one cannot, and it must not hide why this one failed. */
function removeRun(work: string, { report }: Context): void {
  try {
    removeTree(work)
  } catch (error) {
    report.warn(`${work} could not be removed: ${error instanceof Error ? error.message : String(error)}`)
  }
}
