import type { RepoPlan } from './plan-repo.js'

/** Among those asked for, it stands for every recipe that there is. */
const EVERY = 'all'

export function isEveryAsked(asked: ReadonlySet<string>): boolean {
  return asked.has(EVERY)
}

/** The recipes that are asked for by name. */
export function askedByName(asked: ReadonlySet<string>): Set<string> {
  return new Set([...asked].filter((name) => name !== EVERY))
}

/** The same plan with every recipe to be built in any case. */
export function withEveryRecipe(plan: RepoPlan): RepoPlan {
  const steps = plan.steps.map((step) => ({
    ...step,
    action: 'build' as const,
    why: [...new Set([...step.why, 'it was asked for'])],
    follows: false,
  }))
  return { ...plan, steps }
}
