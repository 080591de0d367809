import { programMissing, runAny } from '../system/process.js'
import type { Finished, RunOptions } from '../system/process.js'

/** Seconds after which git is stopped that asks a remote what it has, and that fetches. */
export const PATIENCE = { ask: 120, fetch: 3600 } as const

/** A web server that sends nothing for so long is not waited for. */
const progress = ['-c', 'http.lowSpeedLimit=1', '-c', 'http.lowSpeedTime=120']

/**
 * Runs a git that talks to a remote, and stops it and all that it started when it takes too long: timeout(1) has a
 * process group of its own for them.
 * @returns `late`: whether it was stopped
 * @throws PROGRAM_MISSING, ABORTED
 */
export async function runLimitedGit(
  args: readonly string[],
  seconds: number,
  options: RunOptions,
): Promise<Finished & { late: boolean }> {
  const finished = await runAny('timeout', ['--kill-after=2', String(seconds), 'git', ...progress, ...args], options)
  if (finished.exitCode === 127) throw programMissing('git', undefined)
  return { ...finished, late: finished.exitCode === 124 || finished.exitCode === 137 }
}
