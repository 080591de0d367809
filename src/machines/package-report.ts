import { followEmerge, newEvents } from '../gentoo/emerge-output.js'
import type { TestCase } from '../jenkins/junit.js'
import type { TreeswapError } from '../model/errors.js'
import type { Report } from '../model/report.js'
import { ticks } from '../system/clock.js'

export interface PackageReport {
  /** passes everything on to the report that it was made of */
  report: Report
  /** a case per package; what failed before or after them is a case of its own */
  cases(error?: TreeswapError): TestCase[]
}

/** lines of a failed package's log */
const TAIL = 60

/** Follows the output of a build, and knows afterwards what became of which package. */
export function packageReport(inner: Report): PackageReport {
  const compiled: TestCase[] = []
  const reused = new Set<string>()
  const failed = new Set<string>()
  const began = new Map<string, number>()
  const tail: string[] = []
  let events = newEvents()
  let follow = followEmerge(events)

  function take(): void {
    for (const name of events.compiled.splice(0)) {
      const start = began.get(name)
      compiled.push({ name, status: 'compiled', ...(start !== undefined && { seconds: (ticks() - start) / 1000 }) })
    }
    for (const name of events.fromBinary.splice(0)) reused.add(name)
    for (const name of events.failed) failed.add(name)
  }

  const report: Report = {
    ...inner,
    line(text) {
      inner.line(text)
      if (tail.push(text) > TAIL) tail.shift()
      // each call of emerge is announced by its command line; one that only fetches prints lines like one that builds
      if (text.startsWith('$ ')) {
        events = newEvents()
        follow = text.includes(' --fetchonly ') ? () => undefined : followEmerge(events)
        return
      }
      const name = /^>>> Emerging \(\d+ of \d+\) ([^\s:]+)/.exec(text)?.[1]
      if (name !== undefined) began.set(name, ticks())
      follow(text)
      take()
    },
  }
  return {
    report,
    cases(error) {
      const good: TestCase[] = [...compiled, ...[...reused].map((name) => ({ name, status: 'reused' as const }))]
      if (error === undefined) return good
      const names = failed.size > 0 ? [...failed] : ['build']
      const { code, message, hint } = error
      return [
        ...good,
        ...names.map((name) => ({ name, status: 'failed' as const, code, message, hint, output: tail.join('\n') })),
      ]
    },
  }
}
