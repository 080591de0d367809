import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import type { Stage } from './stage.js'

/**
 * Performs a demo in a directory of its own, as root, until it ends or is stopped by a signal.
 * @param name begins the name of the directory
 * @returns the exit code
 */
export async function perform(
  name: string,
  stage: Stage,
  demo: (directory: string, signal: AbortSignal) => Promise<void>,
): Promise<number> {
  if (process.getuid?.() !== 0) {
    stage.print('the demo makes chroots and mounts: run it as root')
    return 1
  }
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort())
  const directory = mkdtempSync(join(tmpdir(), `${name}-`))
  chmodSync(directory, 0o755)
  const keep = process.argv.includes('--keep')
  try {
    await demo(directory, stop.signal)
    stage.table()
    return 0
  } catch (error) {
    stage.failed(stop.signal.aborted ? 'it was stopped on request' : error)
    return 1
  } finally {
    if (keep) stage.print(`\nkept: ${directory}`)
    else rmSync(directory, { recursive: true, force: true, maxRetries: 3 })
  }
}
