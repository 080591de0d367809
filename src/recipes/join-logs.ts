import { dirname, join } from 'node:path'
import { close, makeDirectory, open, readStream, statusOf, writeAll } from '../system/files.js'

/**
 * Writes one log of the logs of recipes that there are: each after a line that tells its length, so that nothing that
 * a build prints can pass for the log of another one.
 */
export async function joinLogs(directory: string, names: readonly string[], to: string): Promise<void> {
  makeDirectory(dirname(to))
  const log = open(to, 'w', 0o644)
  try {
    for (const name of names) {
      const path = join(directory, `${name}.log`)
      const size = statusOf(path)?.size
      if (size === undefined) continue
      writeAll(log, Buffer.from(`==> ${name} (${size} bytes)\n`))
      for await (const chunk of readStream(path)) writeAll(log, chunk as Buffer)
    }
  } finally {
    close(log)
  }
}
