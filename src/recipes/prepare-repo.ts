import { join } from 'node:path'
import { latestBase } from '../agent/base-build.js'
import type { BaseBuild } from '../agent/base-build.js'
import { DamagedBase } from '../agent/damaged-base.js'
import { builderDirectories } from '../agent/directories.js'
import type { BuilderDirectories } from '../agent/directories.js'
import { rootServiceOf } from '../agent/root-service-of.js'
import type { KeyringPackage } from '../arch/keyring-package.js'
import { rootPackages } from '../arch/root-packages.js'
import type { ArtifactSource } from '../artifact/source.js'
import type { RootService } from '../chroot/requests.js'
import type { BuilderConfig } from '../config/config.js'
import type { PacmanConfig } from '../config/pacman.js'
import type { Clones } from '../git/clones.js'
import type { Recipes } from '../model/recipes.js'
import type { Context } from '../model/report.js'
import { listDirectory, makeDirectory } from '../system/files.js'
import { withLock } from '../system/lock.js'
import { askedByName, isEveryAsked, withEveryRecipe } from './every-recipe.js'
import { requireRead } from './lost-packages.js'
import { missingLibraries } from './missing-libraries.js'
import { planRepo } from './plan-repo.js'
import type { RepoPlan } from './plan-repo.js'
import { removeLent } from './remove-lent.js'
import { isNewKeyring } from './repo-keyring.js'
import type { MakeKeyring } from './repo-keyring.js'
import { readBase } from './repo-packages.js'
import { recipesOfFiles } from './unknown-recipes.js'

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

/** What would be built, and why; and the keyring, where the tree would get another one. */
export async function planOf(
  request: RepoRequest,
  context: Context,
): Promise<RepoPlan & { newKeyring: KeyringPackage | undefined }> {
  return await withRepoLocked(request, context, async (directories, service) => {
    const { plan, before, keyring } = await prepare(request, directories, service, context)
    return { ...plan, newKeyring: isNewKeyring(keyring, before) ? keyring : undefined }
  })
}

/**
 * Does something that nothing else may do to a repo at the same time, when what a killed run left is gone.
 * @throws LOCKED, and what `action` throws
 */
export async function withRepoLocked<T>(
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

/** What is known before anything is built. */
export interface Prepared {
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

/**
 * Reads what the last build has, and what the recipes say now.
 * @throws BASE_DAMAGED, PACKAGES_LOST, ROOT_UNUSABLE, and what planRepo throws
 */
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
