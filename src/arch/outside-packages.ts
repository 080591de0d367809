import type { OutsidePackages } from '../model/recipes.js'
import { LIST_LIBRARIES, parseLibrary, withoutClass } from './linker-cache.js'
import { runInRecipe } from './recipe-container.js'
import type { RecipeBuild } from './recipe-container.js'

const NAME_OWNERS = `found=$(${LIST_LIBRARIES})
printf '%s\\n' "$found"
set -f
pacman -Qo -- $(printf '%s\\n' "$found" | sed 's/.* => //' | sort -u) 2> /dev/null || :
`

/**
 * Which of the packages that are installed in a recipe's container have the libraries that its packages need. What
 * the linker does not find by itself, or belongs to no package, is left out.
 * @param needs as in PackageRecord
 */
export async function libraryPackages(build: RecipeBuild, needs: readonly string[]): Promise<OutsidePackages> {
  if (needs.length === 0) return new Map()
  const argv = ['sh', '-c', NAME_OWNERS, 'treeswap-libraries', ...withoutClass(needs)]
  const { output } = await runInRecipe(build, { argv, told: 'ldconfig -p; pacman -Qo', network: false, root: true })
  const owners = new Map<string, { name: string; version: string }>()
  for (const line of output) {
    const [, path, name, version] = /^(\/.*) is owned by (\S+) (\S+)$/.exec(line) ?? []
    if (path !== undefined && name !== undefined && version !== undefined) owners.set(path, { name, version })
  }
  const packages = new Map<string, { version: string; libraries: string[] }>()
  const seen = new Set<string>()
  for (const { soname, path } of output.flatMap((line) => parseLibrary(line) ?? [])) {
    // of several files the linker takes the first
    if (!needs.includes(soname) || seen.has(soname)) continue
    seen.add(soname)
    const owner = owners.get(path)
    if (owner === undefined) continue
    const { libraries } = packages.get(owner.name) ?? { libraries: [] }
    packages.set(owner.name, { version: owner.version, libraries: [...libraries, soname] })
  }
  return packages
}
