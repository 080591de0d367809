import { sleep } from '../system/clock.js'
import { aborted } from '../system/process.js'
import { strange } from './answers.js'
import type { Jenkins } from './client.js'
import { jobPath } from './job-name.js'

export interface ConsolePiece {
  text: string
  /** byte of the log at which the next piece begins */
  next: number
  /** the build still writes */
  more: boolean
}

/**
 * A build's log from a byte on, as far as it is written. A piece may end inside a character, which is then lost.
 * @throws what Jenkins' methods throw
 */
export async function readConsole(jenkins: Jenkins, job: string, number: number, from: number): Promise<ConsolePiece> {
  const path = `${jobPath(job)}/${number}/logText/progressiveText?start=${from}`
  const { text, headers } = await jenkins.getText(path, 2 ** 30)
  const next = Number(headers.get('x-text-size') ?? NaN)
  if (!Number.isSafeInteger(next) || next < 0) throw strange(new URL(path, jenkins.url), 'it has no X-Text-Size')
  // where `from` lies behind its end, the log was written anew
  return { text, next, more: headers.get('x-more-data') === 'true' }
}

/** Hands every line of a build's log to `onLine`, until the build ends. @throws what Jenkins' methods throw */
export async function followConsole(
  jenkins: Jenkins,
  job: string,
  number: number,
  onLine: (line: string) => void,
  { signal, interval = 1000 }: { signal?: AbortSignal; interval?: number } = {},
): Promise<void> {
  let from = 0
  let rest = ''
  for (;;) {
    const { text, next, more } = await readConsole(jenkins, job, number, from)
    const lines = (rest + text).split(/\r?\n/)
    rest = lines.pop() ?? ''
    lines.forEach(onLine)
    from = next
    if (!more) break
    await sleep(interval, signal)
    if (signal?.aborted) throw aborted('following a build')
  }
  if (rest !== '') onLine(rest)
}
