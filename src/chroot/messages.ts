import type { Readable } from 'node:stream'
import { infrastructureError } from '../model/errors.js'
import { LONGEST_MESSAGE } from './remote-protocol.js'

/**
 * Reads one JSON document a line until the stream ends. No more than one message is held in memory.
 * @throws PROTOCOL for what is no JSON, or too long
 */
export async function* readMessages(stream: Readable): AsyncGenerator<unknown, void> {
  let parts: Buffer[] = []
  let size = 0
  for await (const chunk of stream) {
    let rest = chunk as Buffer
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10)) {
      if (size + end > LONGEST_MESSAGE) throw unreadable('a message is too long')
      yield parse(Buffer.concat([...parts, rest.subarray(0, end)]))
      parts = []
      size = 0
      rest = rest.subarray(end + 1)
    }
    parts.push(rest)
    size += rest.length
    if (size > LONGEST_MESSAGE) throw unreadable('a message is too long')
  }
}

function parse(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8'))
  } catch {
    throw unreadable('a message is no JSON')
  }
}

/** For what the other side says and nobody could have meant. */
export function unreadable(why: string): Error {
  return infrastructureError(
    'PROTOCOL',
    `runner and root program do not understand each other: ${why}`,
    'see that both are of the same version of treeswap, and that nothing else writes to their standard streams',
  )
}
