import type { Build, Input, Pack } from '../model/build.js'
import { configurationError } from '../model/errors.js'
import { validName } from '../model/names.js'
import { parseFileName } from '../model/pacman-package.js'
import { parseRecipes, RECIPES_FILE } from '../model/recipes.js'
import type { Context } from '../model/report.js'
import { listDirectory, makeOneDirectory, removeTree, writeNew } from '../system/files.js'
import { keepLog } from './keep-log.js'
import { checkBase, packDirectory } from './pack.js'
import type { PackBase } from './pack.js'
import { timestamp, treeRecord } from './tree-record.js'
import { writeArtifact } from './write.js'

export interface RepoRequest {
  /** holds all package files of the repo, also those that were not built anew, and nothing else */
  directory: string
  /** content of recipes.json (model/recipes.ts) */
  recipes: string
  tree: string
  number: number
  /** the artifact directory to make */
  output: string
  /** build whose packages need not be packed again: the manifest of its packages pack */
  base?: PackBase
  inputs?: readonly Input[]
  /** program → version */
  tools?: Readonly<Record<string, string>>
  /** ISO 8601, UTC; default: now */
  started?: string
  /** a log file to keep, compressed, in the artifact */
  log?: string
}

/**
 * Packs the package files of a pacman repo, and what its recipes came to, into an artifact.
 * @throws PACKAGE_FILE_INVALID, PACKAGE_TWICE, PACKAGE_MISSING, RECIPES_INVALID, BASE_NOT_EARLIER, ARTIFACT_EXISTS, what packDirectory throws
 */
export async function packRepo(request: RepoRequest, context: Context): Promise<Build> {
  const { tree, number, output, base, inputs = [], tools = {}, started = timestamp() } = request
  validName('tree', tree)
  checkBase(tree, number, base)
  checkFiles(request)
  return writeArtifact(output, async (artifact) => {
    const packs = [await packRecipes(request, artifact, context), await packPackages(request, artifact, context)]
    const log = request.log === undefined ? undefined : await keepLog(request.log, artifact, context)
    return treeRecord({ kind: 'pacman-repo', tree, number, base: base?.number, inputs, tools, started, packs, log })
  })
}

/** Each file's name says which package it is, a database holds one version of a package, and the recipes' are there. */
function checkFiles({ directory, recipes }: RepoRequest): void {
  const files = new Map<string, string>()
  for (const entry of listDirectory(directory)) {
    const parsed = entry.isFile() ? parseFileName(entry.name) : undefined
    if (parsed === undefined) {
      throw configurationError(
        'PACKAGE_FILE_INVALID',
        `${directory}/${entry.name} is no package file`,
        'a repo consists of files NAME-VERSION-RELEASE-ARCHITECTURE.pkg.tar.zst: remove what else is there',
      )
    }
    const other = files.get(parsed.name)
    if (other !== undefined) {
      throw configurationError(
        'PACKAGE_TWICE',
        `${directory} has two files of the package ${parsed.name}: ${other} and ${entry.name}`,
        'a repo has one version of a package: remove the other one',
      )
    }
    files.set(parsed.name, entry.name)
  }
  for (const { packages } of parseRecipes(recipes, RECIPES_FILE).recipes.values()) {
    const lost = packages.find(({ name, file }) => files.get(name) !== file)
    if (lost === undefined) continue
    throw configurationError(
      'PACKAGE_MISSING',
      `${directory} has no ${lost.file}, which ${RECIPES_FILE} names`,
      'put all packages of the repo there, also those that were not built anew',
    )
  }
}

async function packRecipes({ recipes }: RepoRequest, artifact: string, context: Context): Promise<Pack> {
  const directory = `${artifact}/parts`
  makeOneDirectory(directory)
  try {
    writeNew(`${directory}/${RECIPES_FILE}`, recipes)
    return (await packDirectory({ name: 'recipes', role: 'recipes', directory, output: artifact }, context)).pack
  } finally {
    removeTree(directory)
  }
}

async function packPackages({ directory, base }: RepoRequest, artifact: string, context: Context): Promise<Pack> {
  context.report.step('packing the packages')
  const { pack } = await packDirectory(
    { name: 'packages', role: 'packages', directory, output: artifact, ...(base !== undefined && { base }) },
    context,
  )
  return pack
}
