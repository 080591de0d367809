import { join } from 'node:path'
import type { TestCase } from '../jenkins/junit.js'
import { statusOf } from '../system/files.js'
import { readForeignFile } from '../system/foreign-file.js'
import type { RecipeOutcome } from './repo-outcome.js'

/** lines of a failed recipe's log */
const TAIL = 60
/** bytes that these lines are looked for in */
const END = 64 * 1024

/**
 * A case per recipe that was not just kept; what is gone is no case.
 * @param logs directory with a log per recipe
 * @param since milliseconds since 1970: older logs are those of other builds
 */
export function recipeCases(recipes: readonly RecipeOutcome[], logs: string, since: number): TestCase[] {
  return recipes.flatMap(({ base: name, status, reason = '', code = 'RECIPE_FAILED', hint = '' }): TestCase[] => {
    switch (status) {
      case 'built':
        return [{ name, status: 'compiled' }]
      case 'failed':
        return [{ name, status, code, message: reason, hint, output: endOf(join(logs, `${name}.log`), since) }]
      case 'skipped':
      case 'held':
        return [{ name, status: 'skipped', reason }]
      case 'removed':
        return []
    }
  })
}

function endOf(log: string, since: number): string {
  const status = statusOf(log)
  // the kernel's clock for files is a few milliseconds behind
  if (status?.isFile() !== true || status.mtimeMs < since - 1000) return ''
  const end = readForeignFile(log, END, true)?.toString('utf8') ?? ''
  return end.trimEnd().split('\n').slice(-TAIL).join('\n')
}
