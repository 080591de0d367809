import type { Build } from '../model/build.js'
import { publishError } from '../model/errors.js'
import { objectKey } from '../model/object-key.js'
import { parseRecipes, RECIPES_FILE } from '../model/recipes.js'
import type { Recipes } from '../model/recipes.js'
import { formatReference } from '../model/reference.js'
import { readManifestOf } from '../store/builds.js'
import type { Store } from '../store/layout.js'
import { readTextIfThere } from '../system/files.js'
import { packageFiles } from './assemble.js'
import type { PackageFile } from './assemble.js'

/** What a recorded build of a pacman repo consists of. */
export interface RepoBuild {
  recipes: Recipes
  packages: PackageFile[]
}

/**
 * Reads a build of kind pacman-repo.
 * @throws MANIFEST_MISSING, MANIFEST_INVALID, OBJECT_MISSING, RECIPES_INVALID, RECIPES_TOO_NEW, TREE_INVALID
 */
export async function readRepoBuild(store: Store, build: Build): Promise<RepoBuild> {
  let packages: PackageFile[] = []
  let recipes: Recipes | undefined
  for (const pack of build.packs) {
    const manifest = await readManifestOf(store, pack)
    if (pack.role === 'packages') packages = packageFiles(build, manifest)
    if (pack.role !== 'recipes') continue
    const entry = manifest.entries.find(({ path }) => path === RECIPES_FILE)
    if (entry?.type !== 'file') throw incomplete(build)
    recipes = readRecipes(store, build, store.object(objectKey(entry.sha256, entry.executable)))
  }
  if (recipes === undefined) throw incomplete(build)
  return { recipes, packages }
}

function readRecipes(store: Store, build: Build, path: string): Recipes {
  const reference = formatReference(build.name, build.number)
  const text = readTextIfThere(path)
  if (text !== undefined) return parseRecipes(text, `${RECIPES_FILE} of ${reference}`)
  throw publishError(
    'OBJECT_MISSING',
    `the store lacks ${RECIPES_FILE} of ${reference} (${path})`,
    `pull ${reference} again: it brings what is missing`,
  )
}

function incomplete(build: Build): Error {
  return publishError(
    'TREE_INVALID',
    `${formatReference(build.name, build.number)} has no file ${RECIPES_FILE} in its pack recipes`,
    'it is not known for which architecture it is, so it is not published: build it again',
  )
}
