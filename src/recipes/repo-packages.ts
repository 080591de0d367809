import { join } from 'node:path'
import type { BaseBuild } from '../agent/base-build.js'
import { readPackageFile } from '../arch/package-file.js'
import { cachedRecord } from '../arch/record-cache.js'
import { fetchManifest } from '../artifact/source.js'
import { unpackPack } from '../artifact/unpack.js'
import { configurationError } from '../model/errors.js'
import { parseRecipes, RECIPES_FILE } from '../model/recipes.js'
import type { Recipes } from '../model/recipes.js'
import type { Context } from '../model/report.js'
import { makeTemporaryDirectory, readTextIfThere, removeTree } from '../system/files.js'
import type { StagedPackage } from './staging.js'

/** A package of the tree, and the recipe that makes it. */
export type TreePackage = StagedPackage & { base: string }

/**
 * What the base build says of its recipes.
 * @throws RECIPES_MISSING, RECIPES_INVALID, and what the source and the reader of packs throw
 */
export async function readBase(
  { source, item, number, build }: BaseBuild,
  work: string,
  context: Context,
): Promise<Recipes> {
  const pack = build.packs.find(({ role }) => role === 'recipes')
  const from = `${RECIPES_FILE} of ${item.name}@${number}`
  if (pack === undefined) throw missing(from)
  const directory = makeTemporaryDirectory(join(work, 'recipes-'))
  try {
    const manifest = await fetchManifest(source, item, number, pack)
    await unpackPack(pack, manifest, await source.open(item, number, pack.file), directory, context)
    const text = readTextIfThere(join(directory, RECIPES_FILE))
    if (text === undefined) throw missing(from)
    return parseRecipes(text, from)
  } finally {
    removeTree(directory)
  }
}

/**
 * The packages of the base build, by pkgname.
 * @param directory holds their files
 * @throws PACKAGE_INVALID
 */
export async function treePackages(
  base: BaseBuild | undefined,
  recipes: Recipes | undefined,
  directory: string,
  records: string,
  context: Context,
): Promise<Map<string, TreePackage>> {
  const packages = new Map<string, TreePackage>()
  const recipeOf = new Map(
    [...(recipes?.recipes ?? [])].flatMap(([name, one]) => one.packages.map(({ file }) => [file, name] as const)),
  )
  for (const entry of base?.manifest.entries ?? []) {
    const recipe = recipeOf.get(entry.path)
    if (entry.type !== 'file' || recipe === undefined) continue
    const path = join(directory, entry.path)
    const record = await cachedRecord(records, entry.sha256, () => readPackageFile(path, context))
    const { size, sha256 } = entry
    packages.set(record.info.name, { path, file: entry.path, size, sha256, record, base: recipe })
  }
  return packages
}

function missing(from: string): Error {
  return configurationError(
    'RECIPES_MISSING',
    `there is no ${from}`,
    'see what made that build; build with --full anew elsewhere',
  )
}
