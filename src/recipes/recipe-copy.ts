import { join } from 'node:path'
import { setVersion } from '../arch/set-version.js'
import type { Context } from '../model/report.js'
import { copyTree } from '../system/copy-tree.js'
import { listDirectory, makeDirectory, readText, removeFile, writeNew } from '../system/files.js'
import type { FoundRecipe } from './recipe-sources.js'

/** Copies a recipe out of its checkout, with the version of its tag, if it has one, in the PKGBUILD. */
export async function copyRecipe(recipe: FoundRecipe, to: string, { signal }: Context): Promise<void> {
  makeDirectory(to)
  const entries = listDirectory(recipe.directory).filter(({ name }) => name !== '.git')
  await copyTree(
    entries.map(({ name }) => join(recipe.directory, name)),
    to,
    signal,
  )
  if (recipe.release === undefined) return
  const file = join(to, 'PKGBUILD')
  const text = setVersion(readText(file), recipe.release.version)
  removeFile(file)
  writeNew(file, text)
}
