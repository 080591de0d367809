/** What emerge said it did. Package names are CATEGORY/PF, as emerge prints them, without the repo. */
export interface EmergeEvents {
  /** compiled and installed */
  compiled: string[]
  /** installed from a binary package that was there */
  fromBinary: string[]
  /** removed by --depclean or as the old version of an upgrade */
  removed: string[]
  failed: Set<string>
  /** where emerge is in its list */
  position: { done: number; total: number }
}

export function newEvents(): EmergeEvents {
  return { compiled: [], fromBinary: [], removed: [], failed: new Set(), position: { done: 0, total: 0 } }
}

const started = /^>>> Emerging( binary)? \((\d+) of (\d+)\) ([^\s:]+)/
const completed = /^>>> Completed \((\d+) of (\d+)\) ([^\s:]+)/
const failed = /^>>> Failed to (?:emerge|install) ([^\s:,]+)/
const failedSummary = /^\s*\* ERROR: ([^\s:]+)::\S+ failed \(/
const unmerging = /^>>> Unmerging(?: \(\d+ of \d+\))? ([^\s:]+?)\.*$/

/**
 * A reader of emerge's output, fed line by line. The lines are those of Portage's Scheduler, which prints the same
 * ones whatever --quiet says; with --jobs they come interleaved, so a package counts as compiled when it completes.
 */
export function followEmerge(events: EmergeEvents): (line: string) => void {
  const binary = new Set<string>()
  return (line) => {
    const start = started.exec(line)
    if (start !== null) {
      const [, isBinary, , total, name = ''] = start
      if (isBinary !== undefined) binary.add(name)
      events.position.total = Number(total)
      return
    }
    const complete = completed.exec(line)
    if (complete !== null) {
      const [, done, total, name = ''] = complete
      events.position = { done: Number(done), total: Number(total) }
      ;(binary.delete(name) ? events.fromBinary : events.compiled).push(name)
      return
    }
    const fail = failed.exec(line) ?? failedSummary.exec(line)
    if (fail !== null) {
      events.failed.add(fail[1] ?? '')
      return
    }
    const removed = unmerging.exec(line)
    if (removed !== null) events.removed.push(removed[1] ?? '')
  }
}
