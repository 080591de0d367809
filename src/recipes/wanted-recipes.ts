import * as z from 'zod'
import { fileMemory } from '../agent/memory.js'
import type { Memory } from '../agent/memory.js'
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

/** What was tried of a pacman repo: until when (milliseconds since 1970) that is not tried again. */
const triedOnce = z.object({ until: z.number(), wanted: z.record(z.string(), z.string()) })
type TriedOnce = z.infer<typeof triedOnce>

/** What was tried of pacman repos, so that what failed is not tried at every poll. */
export class TriedRecipes {
  /** what is being tried: a process that is killed has tried nothing */
  private readonly begun = new Map<string, TriedOnce>()

  /** @param memory default: as long as the process */
  constructor(private readonly memory: Memory<TriedOnce> = new Map<string, TriedOnce>()) {}

  /**
   * Kept in files, for runs one after the other.
   * @param recalls whether what earlier processes tried counts
   */
  static kept(directory: string, recalls: boolean): TriedRecipes {
    return new TriedRecipes(fileMemory(directory, triedOnce, recalls))
  }

  /** Whether there is something to do in a repo that was not tried in the last day; it counts as tried when it ended. */
  take(repo: string, wanted: WantedRecipes): boolean {
    const before = this.memory.get(repo)
    const isNew =
      before === undefined || now() > before.until || newsIn(wanted, new Map(Object.entries(before.wanted))).length > 0
    if (isNew) this.begun.set(repo, { until: now() + AGAIN_AFTER, wanted: Object.fromEntries(wanted) })
    return isNew
  }

  /**
   * The end of what was taken.
   * @param again when the very same is to be tried again: in a day, in an hour, or at once, as the failure was not its own
   */
  ended(repo: string, again: 'in a day' | 'soon' | 'at once'): void {
    const tried = this.begun.get(repo)
    this.begun.delete(repo)
    if (again === 'at once') this.memory.delete(repo)
    else if (tried !== undefined) this.memory.set(repo, again === 'soon' ? { ...tried, until: now() + SOON } : tried)
  }
}
