import type { KeyringPackage } from '../arch/keyring-package.js'
import { now } from '../system/clock.js'
import type { RepoPlan } from './plan-repo.js'

/** What is to be done to recipes, by pkgbase: digest of what one would be built from and above, or `removed`. */
export type WantedRecipes = ReadonlyMap<string, string>

/** Milliseconds after which the very same is tried again: what kept it from being built may lie outside of recipes. */
export const AGAIN_AFTER = 86_400_000
/** The same where sources could not be fetched or were not what the recipe says. */
const SOON = 3_600_000

/** @param newKeyring of a tree that would get another one */
export function wantedOf(
  { steps, recipes, removed }: RepoPlan,
  newKeyring: Pick<KeyringPackage, 'name' | 'fingerprint'> | undefined,
): WantedRecipes {
  return new Map([
    ...steps
      .filter(({ action }) => action === 'build')
      .map(({ base, previous }): [string, string] => [
        base,
        [recipes.get(base)?.fingerprint, previous].filter(Boolean).join(' '),
      ]),
    ...removed.map((base): [string, string] => [base, 'removed']),
    ...(newKeyring === undefined ? [] : [[newKeyring.name, newKeyring.fingerprint] as const]),
  ])
}

/** What is wanted and was not wanted before, or otherwise. */
export function newsIn(wanted: WantedRecipes, before: WantedRecipes): string[] {
  return [...wanted].filter(([base, what]) => before.get(base) !== what).map(([base]) => base)
}

/** What was tried of pacman repos, so that what failed is not tried at every poll. Kept as long as the process. */
export class TriedRecipes {
  private readonly tried = new Map<string, { until: number; wanted: WantedRecipes }>()

  /** Whether there is something to do in a repo that was not tried in the last day; it counts as tried from now on. */
  take(repo: string, wanted: WantedRecipes): boolean {
    const before = this.tried.get(repo)
    const isNew = before === undefined || now() > before.until || newsIn(wanted, before.wanted).length > 0
    if (isNew) this.tried.set(repo, { until: now() + AGAIN_AFTER, wanted })
    return isNew
  }

  /** To be tried again in an hour. */
  againSoon(repo: string): void {
    const before = this.tried.get(repo)
    if (before !== undefined) this.tried.set(repo, { ...before, until: now() + SOON })
  }

  /** To be tried again at once: its failure was not its own. */
  forget(repo: string): void {
    this.tried.delete(repo)
  }
}
