import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'

/** A longer line is handed on in pieces, so that a program without line ends cannot fill our memory. */
const LONGEST = 64 * 1024

/** Hands on the lines of a stream, without their ends, until it ends. */
export async function readLines(stream: Readable | null, onLine: (line: string) => void): Promise<void> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  const emit = (line: string): void => {
    for (let start = 0; start === 0 || start < line.length; start += LONGEST) onLine(line.slice(start, start + LONGEST))
  }
  for await (const chunk of stream ?? []) {
    const text = decoder.write(chunk as Buffer)
    let start = 0
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      const line = rest + text.slice(start, end)
      emit(line.endsWith('\r') ? line.slice(0, -1) : line)
      rest = ''
      start = end + 1
    }
    rest += text.slice(start)
    if (rest.length >= LONGEST) {
      emit(rest)
      rest = ''
    }
  }
  rest += decoder.end()
  if (rest !== '') emit(rest)
}
