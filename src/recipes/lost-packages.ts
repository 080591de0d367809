import type { BaseBuild, LostFile } from '../agent/base-build.js'
import type { DamagedBase } from '../agent/damaged-base.js'
import { buildError } from '../model/errors.js'
import type { Recipes } from '../model/recipes.js'
import type { RepoPlan } from './plan-repo.js'
import type { Settled } from './settle.js'

/**
 * pkgbase of recipes some of whose packages cannot be had, though clients have them.
 * @param files that the base build names and that could not be fetched, by name
 */
export function lostRecipes(
  base: BaseBuild | undefined,
  before: Recipes | undefined,
  files: ReadonlyMap<string, LostFile>,
): Set<string> {
  const named = new Set(base?.manifest.entries.map(({ path }) => path))
  return new Set(
    [...(before?.recipes ?? [])]
      .filter(([, { packages }]) => packages.some(({ file }) => files.has(file) || !named.has(file)))
      .map(([name]) => name),
  )
}

/**
 * Where nobody knows which recipe made which packages: sees that all were read, as the packages of others would vanish.
 * @throws PACKAGES_LOST
 */
export function requireRead({ broken }: Pick<RepoPlan, 'broken'>): void {
  if (broken.length === 0) return
  throw buildError(
    'PACKAGES_LOST',
    `what the last build says of its recipes is lost, and some of them cannot be read: ${told(broken.map(({ base, error }) => `${base} (${error.message})`))}`,
    'nothing was built, as their packages would have vanished: mend these recipes, or take them out of the repo',
  )
}

/**
 * Sees that what is lost is built anew, or leaves.
 * @param keyring name of the package that is made without a recipe
 * @throws BASE_DAMAGED
 */
export function requireRebuilt(
  { base, before, files }: { base: BaseBuild; before: Recipes; files: ReadonlyMap<string, LostFile> },
  { steps, removed }: RepoPlan,
  keyring: string | undefined,
  damage: DamagedBase,
): void {
  const rebuilt = new Set(
    steps.filter(({ action, follows }) => action === 'build' && !follows).map(({ base: name }) => name),
  )
  for (const [number, { error }] of new Map([...files.values()].map((one) => [one.number, one]))) {
    const own = new Map([...files].filter(([, file]) => file.number === number))
    const lost = [...lostRecipes(base, before, own)].sort()
    const what = `${base.item.name}@${number}, which has the packages of ${lost.join(', ')},`
    if (!lost.every((name) => rebuilt.has(name) || removed.includes(name) || name === keyring)) {
      throw damage.damaged(what, error)
    }
    damage.note(what, error)
  }
}

/**
 * Sees that nothing vanishes: what is lost was built anew, or is gone on purpose.
 * @throws PACKAGES_LOST
 */
export function requireTaken(
  lost: ReadonlySet<string>,
  { taken, outcomes }: Settled,
  keyring: string | undefined,
): void {
  const gone = new Set(outcomes.filter(({ status }) => status === 'removed').map(({ base }) => base))
  const vanishing = [...lost].filter((name) => !taken.has(name) && !gone.has(name) && name !== keyring).sort()
  if (vanishing.length === 0) return
  const why = vanishing.map((name) => {
    const reason = outcomes.find(({ base }) => base === name)?.reason ?? 'it could not be read'
    return `${name} (${reason})`
  })
  throw buildError(
    'PACKAGES_LOST',
    `what clients have of some recipes cannot be read any more, and they were not built anew: ${told(why)}`,
    'nothing was archived, as their packages would have vanished: mend these recipes, or take them out of the repo',
  )
}

function told(reasons: readonly string[]): string {
  return reasons.join('; ').slice(0, 2000)
}
