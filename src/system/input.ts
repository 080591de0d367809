import { configurationError, infrastructureError } from '../model/errors.js'
import { aborted } from './process.js'

/**
 * All of standard input, as text.
 * @param limit bytes
 * @param patience milliseconds until its end must have come
 * @throws INPUT_TOO_LARGE, INPUT_INCOMPLETE, ABORTED
 */
export async function readInput(limit: number, patience: number, signal: AbortSignal): Promise<string> {
  const late = AbortSignal.timeout(patience)
  const chunks: Buffer[] = []
  let size = 0
  const stop = (): void => void process.stdin.destroy()
  const either = AbortSignal.any([late, signal])
  either.addEventListener('abort', stop)
  try {
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > limit) {
        throw configurationError('INPUT_TOO_LARGE', `the input has more than ${limit} bytes`, 'send one short document')
      }
      chunks.push(chunk)
    }
  } catch (error) {
    if (!either.aborted) throw error
  } finally {
    either.removeEventListener('abort', stop)
  }
  if (signal.aborted) throw aborted('reading the input')
  if (late.aborted) {
    throw infrastructureError(
      'INPUT_INCOMPLETE',
      `the end of the input did not come within ${patience / 1000} seconds`,
      'send one document, then close the connection to this side',
    )
  }
  return Buffer.concat(chunks).toString('utf8')
}
