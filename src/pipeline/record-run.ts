import type { Skipped } from '../agent/attempt.js'
import { TreeswapError } from '../model/errors.js'
import { NothingBuilt } from '../recipes/nothing-built.js'
import type { Store } from '../store/layout.js'
import { now } from '../system/clock.js'
import { readRuns, writeRuns } from './last-run.js'
import type { EndedRun, RunRecord } from './last-run.js'
import type { RepoRunOutcome } from './run-repo.js'

/**
 * Does a run of a pacman repo and records what it came to. The caller holds the lock on runs of the tree.
 * @param action gets what was recorded before
 * @throws what the action throws
 */
export async function recordingRun(
  store: Store,
  tree: string,
  action: (before: RunRecord) => Promise<RepoRunOutcome | Skipped>,
): Promise<RepoRunOutcome | Skipped> {
  const before = readRuns(store, tree)
  const { last, checked } = before
  const began = time()
  writeRuns(store, tree, { ...before, running: began })
  const write = (result: Omit<EndedRun, 'began' | 'ended'>): void => {
    writeRuns(store, tree, { last: { began, ended: time(), ...result }, checked })
  }
  try {
    const outcome = await action(before)
    if (outcome.status === 'skipped') writeRuns(store, tree, { last, checked: time() })
    else write(outcome)
    return outcome
  } catch (error) {
    const recipes = error instanceof NothingBuilt ? error.recipes : []
    try {
      write({ status: 'failed', partial: true, recipes, error: plain(error) })
    } catch {
      // a disk that is full must not hide why the run failed
    }
    throw error
  }
}

function time(): string {
  return new Date(now()).toISOString()
}

function plain(error: unknown): NonNullable<EndedRun['error']> {
  if (error instanceof TreeswapError) return { code: error.code, message: error.message, hint: error.hint }
  return { code: 'UNEXPECTED', message: error instanceof Error ? error.message : String(error), hint: '' }
}
