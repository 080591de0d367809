import { chainOf, entriesOf } from '../agent/base-build.js'
import type { BaseBuild } from '../agent/base-build.js'
import type { DamagedBase } from '../agent/damaged-base.js'
import { buildError } from '../model/errors.js'
import type { TreeswapError } from '../model/errors.js'
import { parseFileName } from '../model/pacman-package.js'
import { compareVersions } from '../model/pacman-version.js'
import type { RecipesOutcome } from './build-recipes.js'
import type { RepoPlan } from './plan-repo.js'

/** Every package file that the base build and those it names have: name of the file → its content, and where it is. */
export type PastPackages = ReadonlyMap<string, { sha256: string; number: number }>

/** What clients may have fetched, as far back as builds name earlier ones. @throws BASE_DAMAGED */
export async function pastPackages(base: BaseBuild | undefined, damage: DamagedBase): Promise<PastPackages> {
  const past = new Map<string, { sha256: string; number: number }>()
  if (base === undefined) return past
  const { source, item } = base
  for await (const build of chainOf(base)) {
    const { number } = build
    const read = () => (build === base.build ? Promise.resolve(base.manifest) : entriesOf(source, item, build))
    const { entries } = await damage.orElse(`the list of packages of ${item.name}@${number}`, read, () => ({
      entries: [],
    }))
    for (const entry of entries) {
      if (entry.type === 'file' && !past.has(entry.path)) past.set(entry.path, { sha256: entry.sha256, number })
    }
  }
  return past
}

/** A recipe that comes back begins above what it once was. */
export function risingAbove(plan: RepoPlan, past: PastPackages): RepoPlan {
  const steps = plan.steps.map((step) => {
    if (step.action === 'keep' || step.previous !== undefined) return step
    const names = plan.recipes.get(step.base)?.srcinfo.packages.map(({ name }) => name) ?? []
    return { ...step, previous: highestOf(names, past) }
  })
  return { ...plan, steps }
}

/** The highest version that there ever was of one of these packages. */
function highestOf(names: readonly string[], past: PastPackages): string | undefined {
  return [...past.keys()]
    .flatMap((file) => parseFileName(file) ?? [])
    .flatMap(({ name, version }) => (names.includes(name) ? [version] : []))
    .sort(compareVersions)
    .at(-1)
}

/** Builds whose packages another build had with another content count as failed. */
export function withoutChanged({ built, failed, skipped }: RecipesOutcome, past: PastPackages): RecipesOutcome {
  const errors = [...built].flatMap(([base, { packages }]): [string, TreeswapError][] => {
    const error = changedFile(packages, past)
    return error === undefined ? [] : [[base, error]]
  })
  const changed = new Set(errors.map(([base]) => base))
  return {
    built: new Map([...built].filter(([base]) => !changed.has(base))),
    failed: new Map([...failed, ...errors]),
    skipped,
  }
}

/** A file name stands for one content for ever: clients keep what they have fetched. */
function changedFile(
  packages: readonly { file: string; sha256: string }[],
  past: PastPackages,
): TreeswapError | undefined {
  for (const { file, sha256 } of packages) {
    const then = past.get(file)
    if (then === undefined || then.sha256 === sha256) continue
    return buildError(
      'PACKAGE_CHANGED',
      `${file} would have another content than in build ${then.number}`,
      'clients that have it would never take the new one: raise pkgrel in the PKGBUILD',
    )
  }
  return undefined
}
