import { close, makeDirectory, open, write } from '../system/files.js'
import { dirname } from 'node:path'

export interface BuildLog {
  path: string
  record(line: string): void
  end(): void
}

/** A new log file; each line is on disk as soon as it is recorded. */
export function openLog(path: string): BuildLog {
  makeDirectory(dirname(path))
  const file = open(path, 'w', 0o644)
  return {
    path,
    record: (line) => void write(file, line + '\n'),
    end: () => close(file),
  }
}
