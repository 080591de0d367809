import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packRepo } from '../../src/artifact/pack-repo.js'
import type { Build } from '../../src/model/build.js'
import { encodeRecipes } from '../../src/model/recipes.js'
import type { Recipes } from '../../src/model/recipes.js'
import { pacmanPackage } from '../lab/pacman-package.js'
import type { PackageParts } from '../lab/pacman-package.js'
import { silent } from '../lab/silent.js'
import { packagesOf } from './machine.js'

/** Archives a build of a pacman repo in `artifacts/TREE/N`: pkgname → what its package is made of. */
export async function archiveRepo(
  artifacts: string,
  number: number,
  packages: Record<string, PackageParts>,
  options: {
    base?: number
    tree?: string
    architecture?: string
    files?: Record<string, Buffer>
    recipes?: Recipes['recipes']
  } = {},
): Promise<Build> {
  const { base, tree = 'lab', architecture = 'x86_64', files = {}, recipes: made = new Map() } = options
  mkdirSync(artifacts, { recursive: true })
  const directory = mkdtempSync(join(artifacts, 'parts-'))
  try {
    for (const [name, parts] of Object.entries(packages)) {
      const { file, bytes } = pacmanPackage(name, parts)
      writeFileSync(join(directory, file), bytes)
    }
    for (const [file, bytes] of Object.entries(files)) writeFileSync(join(directory, file), bytes)
    const recipes = encodeRecipes({ architecture, recipes: made, root: new Map() })
    const output = join(artifacts, tree, String(number))
    const on = base === undefined ? {} : { base: await packagesOf(artifacts, tree, base) }
    return await packRepo({ directory, recipes, tree, number, output, ...on }, silent)
  } finally {
    rmSync(directory, { recursive: true })
  }
}
