import { dirname, join } from 'node:path'
import { close, exists, makeDirectory, open, readStream, writeAll } from '../system/files.js'

/** Writes one log of the logs of recipes that there are, each under its name. */
export async function joinLogs(directory: string, names: readonly string[], to: string): Promise<void> {
  makeDirectory(dirname(to))
  const log = open(to, 'w', 0o644)
  try {
    for (const name of names) {
      const path = join(directory, `${name}.log`)
      if (!exists(path)) continue
      writeAll(log, Buffer.from(`==> ${name}\n`))
      for await (const chunk of readStream(path)) writeAll(log, chunk as Buffer)
    }
  } finally {
    close(log)
  }
}
