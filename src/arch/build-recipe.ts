import { join } from 'node:path'
import type { Limits, RootService } from '../chroot/requests.js'
import { buildError, TreeswapError } from '../model/errors.js'
import type { PackageRecord } from '../model/pacman-package.js'
import type { OutsidePackages } from '../model/recipes.js'
import type { Context } from '../model/report.js'
import { ticks } from '../system/clock.js'
import { listDirectory, statusOf } from '../system/files.js'
import { sha256OfFile } from '../system/hash.js'
import { acceptPackages } from './accept.js'
import { installDependencies } from './dependencies.js'
import { makePackages, openRecipe, prepareSources, printChecksums } from './makepkg.js'
import { libraryPackages } from './outside-packages.js'
import { readPackageFile } from './package-file.js'
import { nextVersion } from './pkgrel.js'
import type { RecipeBuild, RecipeDirectories } from './recipe-container.js'
import { parseSrcinfo } from './srcinfo.js'

export interface RecipeRequest {
  base: string
  /** every pkgname, as was planned with: what sources or the clock make of it later is refused */
  names: readonly string[]
  directories: Required<RecipeDirectories>
  chroot: string
  architecture: string
  packager: string
  /** seconds since 1970 */
  sourceDate: number
  limits: Limits
  /** whether build(), check() and package() may use the network */
  network: boolean
  /** whether a tag decides its version: then its checksums are made anew */
  release: boolean
  /** the version that a new one has to rise above */
  previous: string | undefined
  record: (line: string) => void
}

/** A package file that was accepted. */
interface BuiltPackage {
  /** absolute */
  path: string
  file: string
  size: number
  sha256: string
  record: PackageRecord
}

export interface BuiltRecipe {
  version: string
  packages: BuiltPackage[]
  /** installed packages, of this tree as well, whose libraries its packages need */
  libraries: OutsidePackages
}

/**
 * Builds a recipe in a layer of its own over the pristine root, which is dropped at the end.
 * @returns its packages, in the directory `output`
 * @throws RECIPE_INVALID, DEPENDENCIES_MISSING, SOURCES_FAILED, RECIPE_FAILED, VERSION_NOT_RISING, PACKAGES_REFUSED,
 * LIMIT_TIME, LIMIT_MEMORY, LIMIT_DISK, and what a scratch session throws
 */
export async function buildRecipe(
  request: RecipeRequest,
  service: RootService,
  context: Context,
): Promise<BuiltRecipe> {
  const { base, names, directories, architecture, packager, sourceDate, limits, record } = request
  return await service.scratch(request.chroot, context, async (session) => {
    const deadline = limits.seconds && ticks() + limits.seconds * 1000
    const build: RecipeBuild = { session, directories, packager, sourceDate, limits, deadline, record }
    try {
      const version = await inContainer(build, request)
      await session.reclaim(directories.output)
      const packages = await readPackages(directories.output, context)
      acceptPackages({ base, version, architecture, names }, packages)
      const own = new Set(packages.flatMap(({ record: made }) => made.libraries))
      const needs = new Set(packages.flatMap(({ record: made }) => made.needs))
      const outside = [...needs].filter((soname) => !own.has(soname))
      // what is taken back is not lent again
      const looking = { ...build, directories: { recipe: directories.recipe } }
      const libraries = await libraryPackages(looking, outside)
      return { version, packages, libraries }
    } catch (error) {
      await session.reclaim(directories.output)
      throw explainLimit(base, limits, error)
    }
  })
}

async function inContainer(build: RecipeBuild, request: RecipeRequest): Promise<string> {
  const { base, architecture, network, release, previous } = request
  const before = parseSrcinfo(await openRecipe(build), architecture, `the recipe ${base}`)
  const own = new Set(before.packages.map(({ name }) => name))
  const dependencies = [...before.depends, ...before.makeDepends, ...before.checkDepends]
  await installDependencies(
    build,
    [...new Set(dependencies)].filter((name) => !own.has(name)),
  )
  const checksums = release && before.sources.length > 0 ? await printChecksums(build) : ''
  const srcinfo = parseSrcinfo(await prepareSources(build, checksums), architecture, `the recipe ${base}`)
  if (srcinfo.base !== base) throw renamed(base, srcinfo.base)
  const version = nextVersion(srcinfo.version, previous, true)
  await makePackages(build, version.slice(version.lastIndexOf('-') + 1), network)
  return version
}

/** What lies there is a container's: nothing but regular files is read. */
async function readPackages(output: string, context: Context): Promise<BuiltPackage[]> {
  const packages = []
  for (const entry of listDirectory(output)) {
    const { name: file } = entry
    const path = join(output, file)
    const size = statusOf(path)?.size
    if (!entry.isFile() || size === undefined) throw foreign(file)
    packages.push({ path, file, size, sha256: await sha256OfFile(path), record: await readPackageFile(path, context) })
  }
  return packages
}

function foreign(file: string): Error {
  return buildError(
    'PACKAGES_REFUSED',
    `the recipe left ${JSON.stringify(file.slice(0, 200))} among the packages, which is no file`,
    'let it write below $pkgdir and $srcdir only',
  )
}

/**
 * The container knows what was left of the time when it was started, and of no repo; the reader wants to know what is
 * configured.
 */
function explainLimit(base: string, limits: Limits, error: unknown): unknown {
  if (!(error instanceof TreeswapError)) return error
  if (error.code === 'LIMIT_DISK') {
    const hint = 'see in its log what it did last; raise limits.disk of the repo, or make room on the disk'
    return buildError('LIMIT_DISK', error.message, hint, error)
  }
  if (error.code !== 'LIMIT_TIME') return error
  return buildError(
    'LIMIT_TIME',
    `the build of ${base} was stopped: it took longer than its time limit of ${limits.seconds ?? 0} s`,
    'see in its log what it did last; raise limits.time of the repo',
    error,
  )
}

function renamed(base: string, now: string): Error {
  return buildError(
    'RECIPE_INVALID',
    `the recipe calls itself ${base} before its sources are there, and ${now} afterwards`,
    'let pkgbase and pkgname not depend on the sources',
  )
}
