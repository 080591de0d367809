import type { PlanStep, RecipePlan } from './plan.js'

/**
 * Steps that can begin now: to be built, not begun, and everything they need done. What failed is begun but never
 * done, so nothing that needs it becomes ready.
 * @param done pkgbase of what was built, or was dropped because it was not needed any more
 * @param begun pkgbase of what was begun, in whatever way it ended
 */
export function ready(plan: RecipePlan, done: ReadonlySet<string>, begun: ReadonlySet<string>): PlanStep[] {
  const open = new Set(
    plan.steps.filter(({ action, base }) => action === 'build' && !done.has(base)).map(({ base }) => base),
  )
  return plan.steps.filter(
    ({ base, needs }) => open.has(base) && !begun.has(base) && !needs.some((need) => open.has(need)),
  )
}

/** pkgbase of those to be built that cannot be because of failures: their dependants, and theirs, in order. */
export function afterFailure(plan: RecipePlan, failed: Iterable<string>): string[] {
  const without = new Set(failed)
  const skipped: string[] = []
  for (const { base, action, needs } of plan.steps) {
    if (action !== 'build' || without.has(base) || !needs.some((need) => without.has(need))) continue
    without.add(base)
    skipped.push(base)
  }
  return skipped
}

/**
 * Whether a step has still to be built once everything it needs is done: one that only follows what it is built with
 * has not, where all of that has the versions it was built with before.
 * @param versions pkgname → version that the tree has now; a package that is not in it counts as changed
 */
export function stillNeeded(
  { action, follows, uses, builtWith }: PlanStep,
  versions: ReadonlyMap<string, string>,
): boolean {
  if (action === 'keep') return false
  return !follows || uses.some((name) => !builtWith.has(name) || versions.get(name) !== builtWith.get(name))
}
