import { join } from 'node:path'
import type { BuilderDirectories } from '../agent/directories.js'
import { srcinfoOf } from '../arch/srcinfo-of.js'
import { parseSrcinfo } from '../arch/srcinfo.js'
import type { Srcinfo } from '../arch/srcinfo.js'
import type { RootService } from '../chroot/requests.js'
import type { PacmanConfig } from '../config/pacman.js'
import { TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { makeDirectory, makeTemporaryDirectory, readTextIfThere, removeTree, writeAtomically } from '../system/files.js'
import { sha256 } from '../system/hash.js'
import { inTurns } from './in-turns.js'
import { copyRecipe } from './recipe-copy.js'
import type { FoundRecipe } from './recipe-sources.js'

/** A recipe that was read, or why it could not be. */
export type ReadRecipe = FoundRecipe & ({ srcinfo: Srcinfo } | { error: TreeswapError })

/**
 * What recipes say of themselves. makepkg is asked once for each content of a recipe; where that fails, the other
 * recipes are read all the same.
 * @throws what a scratch session throws where the root itself cannot be used
 */
export async function readRecipes(
  recipes: readonly FoundRecipe[],
  { architecture, chroot, parallel }: PacmanConfig,
  directories: BuilderDirectories,
  service: RootService,
  context: Context,
): Promise<ReadRecipe[]> {
  return await inTurns(recipes, parallel, async (recipe): Promise<ReadRecipe> => {
    const known = join(directories.srcinfo, sha256(JSON.stringify([recipe.content, recipe.release?.version ?? null])))
    try {
      const text = readTextIfThere(known) ?? (await ask(recipe))
      const srcinfo = parseSrcinfo(text, architecture, nameOf(recipe))
      writeAtomically(known, text)
      return { ...recipe, srcinfo }
    } catch (error) {
      if (!(error instanceof TreeswapError) || !['build', 'configuration'].includes(error.category)) throw error
      return { ...recipe, error }
    }
  })

  async function ask(recipe: FoundRecipe): Promise<string> {
    makeDirectory(directories.srcinfo)
    const copy = makeTemporaryDirectory(join(directories.work, 'recipe-'))
    try {
      context.report.step(`reading ${nameOf(recipe)}`)
      await copyRecipe(recipe, join(copy, 'recipe'), context)
      return await srcinfoOf(join(copy, 'recipe'), chroot, service, context)
    } finally {
      removeTree(copy)
    }
  }
}

function nameOf({ source, path }: FoundRecipe): string {
  return path === undefined ? `the recipe of ${source}` : `the recipe ${path} of ${source}`
}
