import { join } from 'node:path'
import { chainLength, lastingBase, latestBase, restoreFiles } from '../agent/base-build.js'
import type { BaseBuild } from '../agent/base-build.js'
import { DamagedBase } from '../agent/damaged-base.js'
import { builderDirectories } from '../agent/directories.js'
import type { BuilderDirectories } from '../agent/directories.js'
import { rootServiceOf } from '../agent/root-service-of.js'
import type { KeyringPackage } from '../arch/keyring-package.js'
import { lackingIn, rootPackages } from '../arch/root-packages.js'
import { packRepo } from '../artifact/pack-repo.js'
import type { ArtifactSource } from '../artifact/source.js'
import { refuseExisting } from '../artifact/write.js'
import type { RootService } from '../chroot/requests.js'
import type { BuilderConfig } from '../config/config.js'
import type { PacmanConfig } from '../config/pacman.js'
import type { Clones } from '../git/clones.js'
import type { Build } from '../model/build.js'
import { configurationError } from '../model/errors.js'
import { encodeRecipes } from '../model/recipes.js'
import type { RecipeRecord, Recipes } from '../model/recipes.js'
import type { Context } from '../model/report.js'
import { now } from '../system/clock.js'
import { linkOrCopy, listDirectory, makeDirectory, makeTemporaryDirectory, removeTree } from '../system/files.js'
import { withLock } from '../system/lock.js'
import { replaceDirectory } from '../system/replace-directory.js'
import { buildRecipes } from './build-recipes.js'
import type { RecipesRun } from './build-recipes.js'
import { askedByName, isEveryAsked, withEveryRecipe } from './every-recipe.js'
import { joinLogs } from './join-logs.js'
import { lostRecipes, requireRead, requireRebuilt, requireTaken } from './lost-packages.js'
import { missingLibraries } from './missing-libraries.js'
import { nothingBuilt } from './nothing-built.js'
import { pastPackages, risingAbove, withoutChanged } from './past-packages.js'
import { planRepo } from './plan-repo.js'
import type { RepoPlan } from './plan-repo.js'
import { removeLent } from './remove-lent.js'
import { addKeyring, isNewKeyring } from './repo-keyring.js'
import type { MakeKeyring } from './repo-keyring.js'
import { failedRecipe, oncePerRecipe, recipesOf } from './repo-outcome.js'
import type { RecipeOutcome } from './repo-outcome.js'
import { readBase, treePackages } from './repo-packages.js'
import type { TreePackage } from './repo-packages.js'
import { settle } from './settle.js'
import type { Settled } from './settle.js'
import { sweep } from './sweep.js'
import { recipesOfFiles, withUnknown } from './unknown-recipes.js'
import { wantedOf } from './wanted-recipes.js'
import type { WantedRecipes } from './wanted-recipes.js'

export interface RepoRequest {
  repo: PacmanConfig
  builder: BuilderConfig
  /** default: the builder's own */
  service?: RootService
  /** where the last successful build is looked for */
  base: ArtifactSource | undefined
  /** pkgbase of recipes to be built in any case, or `all` */
  asked: ReadonlySet<string>
  /** a package of the repo that no recipe makes */
  keyring?: MakeKeyring | undefined
  /** seconds to wait while somebody else builds or plans the repo; default: 0 */
  wait?: number
}

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

/** What would be built, and why; and the keyring, where the tree would get another one. */
export async function planOf(
  request: RepoRequest,
  context: Context,
): Promise<RepoPlan & { newKeyring: KeyringPackage | undefined }> {
  return await locked(request, context, async (directories, service) => {
    const { plan, before, keyring } = await prepare(request, directories, service, context)
    return { ...plan, newKeyring: isNewKeyring(keyring, before) ? keyring : undefined }
  })
}

/**
 * Builds what has to be of a pacman repo and archives the whole of it. A recipe that fails leaves its packages as they
 * were; where nothing could be built at all, nothing is archived.
 * @throws RECIPES_FAILED, PACKAGE_CHANGED, and what planRepo, buildRecipes and packRepo throw
 */
export async function buildRepo(request: RepoBuildRequest, context: Context): Promise<RepoBuildReport> {
  return await locked(request, context, (directories, service) => buildLocked(request, directories, service, context))
}

async function locked<T>(
  request: RepoRequest,
  context: Context,
  action: (directories: BuilderDirectories, service: RootService) => Promise<T>,
): Promise<T> {
  const { repo, builder, wait = 0 } = request
  const { signal } = context
  const directories = builderDirectories(builder.directory)
  const lock = join(directories.locks, `build-${repo.name}.lock`)
  const work = join(directories.work, 'runs', repo.name)
  return await withLock(lock, { what: `the build of ${repo.name}`, wait, signal }, async () => {
    const service = request.service ?? rootServiceOf(builder)
    // what a killed run left
    const dead = listDirectory(work).map(({ name }) => join(work, name))
    await removeLent(dead, repo.chroot, service, context)
    makeDirectory(work)
    return await action({ ...directories, work }, service)
  })
}

interface Prepared {
  damage: DamagedBase
  /** whether recipes of before are what names of package files tell */
  isGuess: boolean
  base: BaseBuild | undefined
  before: Recipes | undefined
  root: ReadonlyMap<string, string>
  clones: Clones
  plan: RepoPlan
  keyring: KeyringPackage | undefined
}

export async function prepare(
  request: RepoRequest,
  directories: BuilderDirectories,
  service: RootService,
  context: Context,
): Promise<Prepared> {
  const { repo, asked } = request
  const isAll = isEveryAsked(asked)
  const damage = new DamagedBase(repo.name, isAll, context)
  const base = request.base && (await latestBase(request.base, repo.name, damage))
  const known = base && (await recipesBefore(base, repo, damage, directories.work, context))
  const before = known?.recipes
  const root = await rootPackages(repo.chroot, service, context)
  const clones = { directory: join(directories.git, 'recipes', repo.name), used: new Set<string>() }
  const missing = await missingLibraries(repo, before, root, directories.libraries, service, context)
  const wanted = { repo, directories, service, before, asked: askedByName(asked), missing }
  const found = await planRepo(wanted, clones, context)
  const plan = isAll ? withEveryRecipe(found) : found
  const keyring = await request.keyring?.(before)
  // a recipe that never had a package takes nothing along when it goes
  const had = (name: string): boolean => (before?.recipes.get(name)?.packages.length ?? 0) > 0
  const removed = plan.removed.filter((name) => name !== keyring?.name && had(name))
  if (keyring !== undefined && plan.recipes.has(keyring.name)) throw keyringTwice(keyring.name)
  const isGuess = known?.isGuess ?? false
  if (isGuess) requireRead(plan)
  return { damage, isGuess, base, before, root: root.installed, clones, keyring, plan: { ...plan, removed } }
}

/** What the base build says of its recipes; without that, what its list of packages tells. @throws BASE_DAMAGED */
async function recipesBefore(
  base: BaseBuild,
  { architecture }: PacmanConfig,
  damage: DamagedBase,
  work: string,
  context: Context,
): Promise<{ recipes: Recipes; isGuess: boolean }> {
  const what = `what ${base.item.name}@${base.number} says of its recipes`
  const read = async () => ({ recipes: await readBase(base, work, context), isGuess: false })
  if (damage.isDamaged) return await damage.required(what, read)
  return await damage.orElse(what, read, () => ({ recipes: recipesOfFiles(base, architecture), isGuess: true }))
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
    const build = await archive(
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

async function archive(
  request: RepoBuildRequest,
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

function keyringTwice(name: string): Error {
  return configurationError(
    'PACKAGE_TWICE',
    `a recipe is called ${name}, as is the package with the keys of the repo`,
    'rename the recipe, or take the keys out of `trust`',
  )
}
