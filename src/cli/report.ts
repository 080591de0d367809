import type { Report } from '../model/report.js'
import { ticks } from '../system/clock.js'
import { printable } from './printable.js'

interface Terminal {
  write(text: string): unknown
  isTTY?: boolean
  columns?: number
}

export interface ReportOptions {
  stream: Terminal
  colours: boolean
  /** milliseconds from an arbitrary point */
  clock?: () => number
}

/** milliseconds between two drawings of the bar, and between two lines where there is no terminal */
const REDRAW = 100
const LINE_EVERY = 5000

/** Shows long work: a bar on a terminal, a line every few seconds elsewhere. */
export interface ShownReport extends Report {
  /** removes the bar before something else is printed */
  close(): void
}

export function openReport({ stream, colours, clock = ticks }: ReportOptions): ShownReport {
  const terminal = stream.isTTY === true
  let current = ''
  let shown = false
  let last = -Infinity
  const paint = (code: string, text: string): string => (colours ? `\u001b[${code}m${text}\u001b[0m` : text)
  const clear = (): void => {
    if (shown) stream.write('\r\u001b[K')
    shown = false
  }
  const print = (text: string): void => {
    clear()
    stream.write(text + '\n')
  }
  return {
    step(text) {
      current = printable(text)
      last = terminal ? -Infinity : clock()
      print(paint('1', `==> ${current}`))
    },
    progress(done, total) {
      const finished = total > 0 && done >= total
      if (!finished && clock() - last < (terminal ? REDRAW : LINE_EVERY)) return
      if (terminal) {
        clear()
        if (finished) return
        stream.write(`\r${bar(current, done, total, stream.columns ?? 80)}`)
        shown = true
      } else if (!finished) print(`    ${current === '' ? '' : `${current}: `}${amount(done, total)}`)
      last = clock()
    },
    line: (text) => print(`    ${printable(text)}`),
    warn: (text) => print(`${paint('33', 'warning:')} ${text.split('\n').map(printable).join('\n    ')}`),
    close: clear,
  }
}

function bar(text: string, done: number, total: number, columns: number): string {
  const width = 24
  const full = total > 0 ? Math.min(width, Math.floor((done / total) * width)) : 0
  return `    [${'#'.repeat(full)}${'-'.repeat(width - full)}] ${amount(done, total)}  ${text}`.slice(0, columns - 1)
}

function amount(done: number, total: number): string {
  return total > 0 ? `${Math.floor((done / total) * 100)} %` : String(done)
}
