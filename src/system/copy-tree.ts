import { run } from './process.js'

/** Copies files and directories in depth into `directory`, with modes and times, sharing blocks where possible. */
export async function copyTree(sources: readonly string[], directory: string, signal?: AbortSignal): Promise<void> {
  if (sources.length === 0) return
  const args = ['-a', '--no-preserve=ownership', '--reflink=auto', '-t', directory, '--', ...sources]
  await run('cp', args, signal === undefined ? {} : { signal })
}
