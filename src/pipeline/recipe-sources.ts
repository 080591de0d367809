import { join } from 'node:path'
import { parseRecipeList } from '../arch/recipe-list.js'
import { newestRelease } from '../arch/release-tag.js'
import type { ReleaseTag } from '../arch/release-tag.js'
import type { PacmanConfig, ProgramRepository, RecipeList, RecipeRepository } from '../config/pacman.js'
import { configurationError, TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { statusOf } from '../system/files.js'
import { readForeignFile } from '../system/foreign-file.js'
import { findFiles } from '../system/glob.js'
import { sha256 } from '../system/hash.js'
import { inTurns } from './in-turns.js'
import { contentOf, contentOfAll, fetchGit } from './git.js'
import type { Checkout, GitSource } from './git.js'
import { remoteTags } from './git-remote.js'

/** A recipe in a fresh checkout. */
export interface FoundRecipe {
  /** holds PKGBUILD */
  directory: string
  /** URL of its git repository */
  source: string
  /** in that repository; undefined: its top */
  path: string | undefined
  commit: string
  /** seconds since 1970 */
  commitTime: number
  /** git's digest of its files */
  content: string
  /** the tag that decides its version */
  release: ReleaseTag | undefined
}

/** A recipe, or a source of several, that could not be read: what the tree has of it stays. */
export interface LostRecipe {
  name: string
  /** URL of its git repository */
  source: string
  /** in that repository; undefined: its top */
  path?: string | undefined
  error: TreeswapError
  /** URL at or below which there may be more that nobody knows of now; undefined: there is not */
  unread: string | undefined
}

export interface FoundRecipes {
  found: FoundRecipe[]
  lost: LostRecipe[]
}

/** Listed repositories that are asked at a time. */
const AT_A_TIME = 4
const MAX_LIST = 1024 * 1024
/** What is safe in messages and paths. */
const DIRECTORY = /^[A-Za-z0-9_@.+-]+(\/[A-Za-z0-9_@.+-]+)*$/

/**
 * All recipes of a pacman repo, as their sources have them now. A source that cannot be read, or has none, is among the
 * lost ones: GIT_FAILED, RECIPES_MISSING, RECIPE_MISSING, TAGS_MISSING, LIST_EMPTY, LIST_INVALID, LIST_MISSING.
 * @param clones where checkouts are kept; the caller holds a lock on it
 */
export async function findRecipes(repo: PacmanConfig, clones: string, context: Context): Promise<FoundRecipes> {
  const found: FoundRecipe[] = []
  const lost: LostRecipe[] = []
  const reading = async (place: Omit<LostRecipe, 'name' | 'error'>, read: () => Promise<void>): Promise<void> => {
    const error = await faultOf(read)
    if (error !== undefined) lost.push({ name: place.source, ...place, error })
  }
  for (const source of repo.repositories) {
    const { url } = source
    await reading({ source: url, unread: url }, async () => {
      found.push(...(await inRepository(source, clones, context)))
    })
  }
  for (const source of repo.programs) {
    const { url, path } = source
    await reading({ source: url, path, unread: url }, async () => {
      found.push(await inProgram(source, clones, context))
    })
  }
  const listed = new Map<string, Set<string>>()
  for (const list of repo.lists) {
    const { url, base } = list
    await reading({ source: url, unread: base }, async () => {
      const names = await readList(list, clones, context)
      listed.set(base, new Set([...(listed.get(base) ?? []), ...names]))
    })
  }
  for (const [base, names] of listed) {
    const there = await findListed(base, [...names], clones, context)
    found.push(...there.found)
    lost.push(...there.lost)
  }
  return { found, lost }
}

/** What kept something from being read; undefined: nothing did. */
async function faultOf(read: () => Promise<void>): Promise<TreeswapError | undefined> {
  try {
    await read()
    return undefined
  } catch (error) {
    if (!(error instanceof TreeswapError) || error.category === 'aborted') throw error
    return error
  }
}

/** Where the recipe of a listed package lies. */
export function listedUrl(base: string, name: string): string {
  return `${base}/${name}.git`
}

/** The recipes of names below a base URL (the AUR's, for instance). */
export async function findListed(
  base: string,
  names: readonly string[],
  clones: string,
  context: Context,
): Promise<FoundRecipes> {
  const recipes = await inTurns(names, AT_A_TIME, async (name): Promise<FoundRecipe | LostRecipe> => {
    const source = listedUrl(base, name)
    try {
      return await inTop({ url: source }, source, clones, context)
    } catch (error) {
      if (!(error instanceof TreeswapError) || error.category === 'aborted') throw error
      return { name, source, error, unread: base }
    }
  })
  return {
    found: recipes.filter((recipe) => 'directory' in recipe),
    lost: recipes.filter((recipe) => 'error' in recipe),
  }
}

async function inRepository(source: RecipeRepository, clones: string, context: Context): Promise<FoundRecipe[]> {
  const checkout = await checkOut(source, clones, context)
  const pattern = source.recipes === '.' ? 'PKGBUILD' : `${source.recipes.replace(/\/$/, '')}/PKGBUILD`
  const directories = findFiles(checkout.directory, pattern).map((file) => file.slice(0, -'/PKGBUILD'.length))
  const odd = directories.find((directory) => directory !== '' && !DIRECTORY.test(directory))
  if (odd !== undefined) {
    throw configurationError(
      'RECIPE_MISSING',
      `${source.url} has a recipe in a directory with an odd name: ${JSON.stringify(odd.slice(0, 100))}`,
      'use letters, digits and _ @ . + - in names of directories',
    )
  }
  if (directories.length === 0) {
    throw configurationError(
      'RECIPES_MISSING',
      `${source.url} has no recipe that fits ${source.recipes} (no ${pattern})`,
      'all its packages would vanish, so it is refused: mend `recipes`, or take the repository out of the configuration',
    )
  }
  const contents = await contentOfAll(checkout, context)
  return directories.map((directory) =>
    recipeIn(checkout, source.url, directory === '' ? undefined : directory, contents.get(directory)),
  )
}

async function inProgram(source: ProgramRepository, clones: string, context: Context): Promise<FoundRecipe> {
  const { url, path, tags, branch } = source
  if (tags === undefined) return await inTop({ url, branch }, url, clones, context, path)
  const release = newestRelease(tags, await remoteTags(url, context))
  if (release === undefined) {
    throw configurationError(
      'TAGS_MISSING',
      `${url} has no tag that fits ${tags} and stands for a version`,
      'tag a release there (v1.2), or mend `tags`; without `tags` its branch is followed',
    )
  }
  return { ...(await inTop({ url, tag: release.tag }, url, clones, context, path)), release }
}

async function inTop(
  git: GitSource,
  url: string,
  clones: string,
  context: Context,
  path?: string,
): Promise<FoundRecipe> {
  const checkout = await checkOut(git, clones, context)
  const content = await contentOf(checkout, path ?? '', context).catch(() => undefined)
  return recipeIn(checkout, url, path, content)
}

/** @param content git's digest of its files; undefined: git has none there */
function recipeIn(checkout: Checkout, url: string, path: string | undefined, content: string | undefined): FoundRecipe {
  const directory = path === undefined ? checkout.directory : join(checkout.directory, path)
  // git's own entry: a link would lead out of what was hashed
  if (
    content === undefined ||
    statusOf(directory)?.isDirectory() !== true ||
    statusOf(join(directory, 'PKGBUILD'))?.isFile() !== true
  ) {
    throw configurationError(
      'RECIPE_MISSING',
      `${url} has no recipe ${path === undefined ? 'at its top' : `in ${path}`}: there is no file PKGBUILD`,
      'mend `path` in the configuration, or add the recipe there; links are not followed',
    )
  }
  const { commit, commitTime } = checkout
  return { directory, source: url, path, commit, commitTime, content, release: undefined }
}

async function readList(list: RecipeList, clones: string, context: Context): Promise<string[]> {
  const { url, branch, file } = list
  const checkout = await checkOut({ url, branch }, clones, context)
  // git knows no path through a link, which could lead out of the checkout
  const isThere = await contentOf(checkout, file, context).then(
    () => true,
    () => false,
  )
  const content = isThere ? readForeignFile(join(checkout.directory, file), MAX_LIST) : undefined
  if (content !== undefined) return parseRecipeList(content.toString('utf8'), `${file} of ${url}`)
  throw configurationError(
    'LIST_MISSING',
    `${url} has no file ${file}`,
    'mend `file` of that list; links are not followed',
  )
}

function checkOut(git: GitSource, clones: string, context: Context): Promise<Checkout> {
  const name = sha256(JSON.stringify([git.url, git.branch ?? null, git.tag === undefined ? null : 'tags'])).slice(0, 24)
  return fetchGit(git, join(clones, name), context)
}
