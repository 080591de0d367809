import { dirname } from 'node:path'
import { close, makeDirectory, open, write } from '../system/files.js'

export interface BuildLog {
  path: string
  /** @returns whether there was room for it: else it is kept only as long as it may be one of the last */
  record(line: string): boolean
  end(): void
}

/** How much of the end of a log is kept where its middle is left out: bytes, and lines. */
const END = { bytes: 1024 * 1024, lines: 20_000 }

/**
 * A new log file; each line is on disk as soon as it is recorded.
 * @param most bytes from which on lines are left out, but for the last ones, which are written at the end
 */
export function openLog(path: string, most = Infinity): BuildLog {
  makeDirectory(dirname(path))
  const file = open(path, 'w', 0o644)
  const last = new LastLines()
  let size = 0
  return {
    path,
    record: (line) => {
      const length = Buffer.byteLength(line) + 1
      if (last.isEmpty && size + length <= most) {
        size += length
        write(file, line + '\n')
        return true
      }
      last.add(line, length)
      return false
    },
    end: () => {
      if (last.left > 0) write(file, `== ${last.left} bytes of output are left out here ==\n`)
      for (const line of last.lines()) write(file, line + '\n')
      close(file)
    },
  }
}

class LastLines {
  private kept: { line: string; length: number }[] = []
  private size = 0
  private first = 0
  /** bytes that are no longer there */
  left = 0

  get isEmpty(): boolean {
    return this.kept.length === 0 && this.left === 0
  }

  add(line: string, length: number): void {
    this.kept.push({ line, length })
    this.size += length
    for (; this.size > END.bytes || this.kept.length - this.first > END.lines; this.first++) {
      const gone = this.kept[this.first]?.length ?? 0
      this.size -= gone
      this.left += gone
    }
    if (this.first * 2 <= this.kept.length) return
    this.kept = this.kept.slice(this.first)
    this.first = 0
  }

  lines(): string[] {
    return this.kept.slice(this.first).map(({ line }) => line)
  }
}
