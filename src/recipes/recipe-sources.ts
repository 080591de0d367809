import { join } from 'node:path'
import { parseRecipeList } from '../arch/recipe-list.js'
import type { ReleaseTag } from '../arch/release-tag.js'
import type { PacmanConfig, ProgramRepository, RecipeList, RecipeRepository } from '../config/pacman.js'
import { contentIfThere, contentOfAll } from '../git/git.js'
import type { Checkout } from '../git/git.js'
import { configurationError, TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { statusOf } from '../system/files.js'
import { readForeignFile } from '../system/foreign-file.js'
import { inTurns } from './in-turns.js'
import type { RecipeCheckouts } from './recipe-checkouts.js'
import { recipePlaces } from './recipe-directories.js'

/** A recipe in a fresh checkout. */
export interface FoundRecipe {
  /** holds PKGBUILD */
  directory: string
  /** URL of its git repository */
  source: string
  /** base URL of the list through which it was found; undefined: its source is the configuration's own */
  list: string | undefined
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
  /** URL at or below which there may be more that nobody knows of now */
  unread: string
  /** whether it is a recipe only if it was one before: many a link or submodule never was */
  doubtful?: boolean
}

export interface FoundRecipes {
  found: FoundRecipe[]
  lost: LostRecipe[]
}

/** Listed repositories that are asked at a time. */
const AT_A_TIME = 4
const MAX_LIST = 1024 * 1024

/**
 * All recipes of a pacman repo, as their sources have them now. A source that cannot be read, or has none, is among the
 * lost ones: GIT_FAILED, RECIPES_MISSING, RECIPE_MISSING, TAGS_MISSING, LIST_EMPTY, LIST_INVALID, LIST_MISSING.
 */
export async function findRecipes(
  repo: PacmanConfig,
  checkouts: RecipeCheckouts,
  context: Context,
): Promise<FoundRecipes> {
  const found: FoundRecipe[] = []
  const lost: LostRecipe[] = []
  const reading = async (place: Omit<LostRecipe, 'name' | 'error'>, read: () => Promise<void>): Promise<void> => {
    const error = await faultOf(read)
    if (error !== undefined) lost.push({ name: place.source, ...place, error })
  }
  for (const source of repo.repositories) {
    const { url } = source
    await reading({ source: url, unread: url }, async () => {
      const there = await inRepository(source, checkouts, context)
      found.push(...there.found)
      lost.push(...there.lost)
    })
  }
  for (const source of repo.programs) {
    const { url, path } = source
    await reading({ source: url, path, unread: url }, async () => {
      found.push(await inProgram(source, checkouts, context))
    })
  }
  const listed = new Map<string, Set<string>>()
  for (const list of repo.lists) {
    const { url, base } = list
    await reading({ source: url, unread: base }, async () => {
      const names = await readList(list, checkouts, context)
      listed.set(base, new Set([...(listed.get(base) ?? []), ...names]))
    })
  }
  for (const [base, names] of listed) {
    const there = await findListed(base, [...names], checkouts, context)
    found.push(...there.found)
    lost.push(...there.lost)
  }
  return { found, lost }
}

/** What kept something from being read; undefined: nothing did. */
async function faultOf(read: () => Promise<void> | void): Promise<TreeswapError | undefined> {
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
  checkouts: RecipeCheckouts,
  context: Context,
): Promise<FoundRecipes> {
  const recipes = await inTurns(names, AT_A_TIME, async (name): Promise<FoundRecipe | LostRecipe> => {
    const source = listedUrl(base, name)
    try {
      const recipe = await recipeOf(await checkouts.ofBranch(source), source, undefined, context)
      return { ...recipe, list: base }
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

async function inRepository(
  { url, branch, recipes }: RecipeRepository,
  checkouts: RecipeCheckouts,
  context: Context,
): Promise<FoundRecipes> {
  const checkout = await checkouts.ofBranch(url, branch)
  const places = recipePlaces(checkout.directory, recipes)
  if (places.every(({ doubtful }) => doubtful)) {
    throw configurationError(
      'RECIPES_MISSING',
      `${url} has no recipe that fits ${recipes} (no directory of these has a PKGBUILD)`,
      'all its packages would vanish, so it is refused: mend `recipes`, or take the repository out of the configuration',
    )
  }
  const contents = await contentOfAll(checkout, context)
  const there: FoundRecipes = { found: [], lost: [] }
  for (const { path: place, fault, doubtful } of places) {
    const path = place === '' ? undefined : place
    const error = await faultOf(() => {
      if (fault !== undefined) throw withoutRecipe(url, path, fault)
      there.found.push(recipeIn(checkout, url, path, contents.get(place)))
    })
    if (error === undefined) continue
    there.lost.push({ name: printable(place) || url, source: url, path, error, unread: url, doubtful })
  }
  return there
}

async function inProgram(
  { url, path, tags, branch }: ProgramRepository,
  checkouts: RecipeCheckouts,
  context: Context,
): Promise<FoundRecipe> {
  if (tags === undefined) return await recipeOf(await checkouts.ofBranch(url, branch), url, path, context)
  const { release, ...checkout } = await checkouts.ofRelease(url, tags)
  return { ...(await recipeOf(checkout, url, path, context)), release }
}

async function recipeOf(
  checkout: Checkout,
  url: string,
  path: string | undefined,
  context: Context,
): Promise<FoundRecipe> {
  const content = await contentIfThere(checkout, path ?? '', context)
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
    throw withoutRecipe(url, path, 'there is no file PKGBUILD')
  }
  const { commit, commitTime } = checkout
  return { directory, source: url, list: undefined, path, commit, commitTime, content, release: undefined }
}

async function readList(list: RecipeList, checkouts: RecipeCheckouts, context: Context): Promise<string[]> {
  const { url, branch, file } = list
  const checkout = await checkouts.ofBranch(url, branch)
  // git knows no path through a link, which could lead out of the checkout
  const isThere = (await contentIfThere(checkout, file, context)) !== undefined
  const content = isThere ? readForeignFile(join(checkout.directory, file), MAX_LIST + 1) : undefined
  if (content !== undefined && content.length > MAX_LIST) throw longList(file, url)
  if (content !== undefined) return parseRecipeList(content.toString('utf8'), `${file} of ${url}`)
  throw configurationError(
    'LIST_MISSING',
    `${url} has no file ${file}`,
    'mend `file` of that list; links are not followed',
  )
}

/** What is behind the end would count as taken off the list. */
function longList(file: string, url: string): Error {
  return configurationError(
    'LIST_INVALID',
    `${file} of ${url} is longer than ${MAX_LIST} bytes`,
    'see that it is a list of names; split it into several if it is',
  )
}

function withoutRecipe(url: string, path: string | undefined, why: string): Error {
  return configurationError(
    'RECIPE_MISSING',
    `${url} has no recipe ${path === undefined ? 'at its top' : `in ${printable(path)}`}: ${why}`,
    'mend `recipes` or `path` in the configuration, or what lies there; links are not followed',
  )
}

/** A path in a repository of somebody else. */
function printable(path: string): string {
  return /^[\w@.+/-]*$/.test(path) ? path : JSON.stringify(path.slice(0, 100))
}
