import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/** A longer line is handed on in pieces, so that a program without line ends cannot fill our memory. */
const LONGEST = 64 * 1024

/**
 * Hands on the lines of a stream, without their ends, until it ends.
 * @param onLine where it returns a promise, no more is read until that is settled
 */
export async function readLines(stream: Readable | null, onLine: (line: string) => unknown): Promise<void> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const emit = async (line: string): Promise<void> => {
    for (let start = 0; start === 0 || start < line.length; start += LONGEST) {
      const taken = onLine(line.slice(start, start + LONGEST))
      if (taken instanceof Promise) await taken
    }
  }
  for await (const chunk of stream ?? []) {
    const text = decoder.write(chunk as Buffer)
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      const line = rest + text.slice(start, end)
      await emit(line.endsWith('\r') ? line.slice(0, -1) : line)
      rest = ''
      start = end + 1
    }
    rest += text.slice(start)
    if (rest.length >= LONGEST) {
      await emit(rest)
      rest = ''
    }
  }
  rest += decoder.end()
  if (rest !== '') await emit(rest)
}
