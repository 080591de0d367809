import type { TreeswapError } from '../model/errors.js'
import { readForeignFile } from '../system/foreign-file.js'

/** lines of a failed recipe's log */
const TAIL = 20
/** bytes that these lines are looked for in, and most of each that are told */
const END = 16 * 1024
const LINE = 300

/** What is told of a recipe that has just failed: lines, the first of which says why. @param log its own */
export function failureText(base: string, { code, message }: TreeswapError, log: string): string {
  const end = readForeignFile(log, END, true)?.toString('utf8').trimEnd() ?? ''
  const why = `${base} failed [${code}]: ${message}`
  if (end === '') return why
  const tail = end.split('\n').slice(-TAIL)
  return [why, ...tail.map((line) => `| ${line.slice(0, LINE)}`), `the whole log: ${log}`].join('\n')
}
