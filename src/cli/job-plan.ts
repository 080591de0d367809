import type { Change, Plan, Step } from '../jenkins/jobs/plan.js'
import { table } from './table.js'

export const jobsOptions = {
  'allow-shrink': {
    type: 'boolean',
    default: false,
    describe: 'take a list of jobs that is empty, or lacks more than half of the jobs that there were',
  },
} as const

/** What --json says of a plan. */
export function planJson({ steps, unchanged }: Plan): Record<string, unknown> {
  const plain = steps.map((step) => ({
    action: step.kind,
    job: step.job,
    ...(step.kind === 'update' && { changes: step.changes }),
  }))
  return { steps: plain, unchanged }
}

/** One line per step; below an update what differs. */
export function describeSteps(steps: readonly Step[]): string {
  const rows = steps.flatMap((step) => [
    [step.kind.replace('-', ' '), step.job],
    ...(step.kind === 'update' ? step.changes.map((change) => ['', `  ${describeChange(change)}`]) : []),
  ])
  return table(['ACTION', 'JOB'], rows)
}

function describeChange({ field, from, to }: Change): string {
  const texts = [from, to].map((value) => JSON.stringify(value))
  return texts.some((text) => text.length > 60) ? `${field} differs` : `${field}: ${texts.join(' → ')}`
}

/** `2 created, 1 disabled, 5 as they were` */
export function summarize({ steps, unchanged }: Plan): string {
  const words: [string, string[]][] = [
    ['created', ['create', 'create-folder']],
    ['updated', ['update']],
    ['disabled', ['disable']],
  ]
  const parts = words.flatMap(([word, kinds]) => {
    const amount = steps.filter(({ kind }) => kinds.includes(kind)).length
    return amount === 0 ? [] : [`${amount} ${word}`]
  })
  return [...parts, `${unchanged.length} as they were`].join(', ')
}
