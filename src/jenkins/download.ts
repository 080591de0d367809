import { Readable } from 'node:stream'
import { infrastructureError } from '../model/errors.js'
import { HttpFault } from '../system/http.js'
import type { HttpAnswer } from '../system/http.js'
import { placeOf } from './answers.js'

interface Download {
  open(headers: Record<string, string>, stop: AbortSignal): Promise<HttpAnswer>
  /** bytes that are expected */
  size: number | undefined
  /** milliseconds before each further try without progress */
  pauses: readonly number[]
  waitBefore(pause: number, error: unknown): Promise<void>
  explain(error: unknown): unknown
}

/** After as many bytes a broken connection counts as a new misfortune. */
const PROGRESS = 2 ** 20

/**
 * A body that goes on where its connection broke. Its bytes are the reader's to verify: what lies there may have been
 * replaced in between. Destroying the stream closes the connection.
 */
export async function resumed(download: Download, signal: AbortSignal | undefined): Promise<Readable> {
  const controller = new AbortController()
  const stop = signal === undefined ? controller.signal : AbortSignal.any([signal, controller.signal])
  const pieces = read(download, await download.open({}, stop), stop)
  return new Readable({
    highWaterMark: 2 ** 18,
    read() {
      pieces.next().then(
        (piece) => this.push(piece.done === true ? null : piece.value),
        (error: unknown) => this.destroy(error as Error),
      )
    },
    destroy(error, callback) {
      controller.abort()
      callback(error)
    },
  })
}

async function* read(download: Download, first: HttpAnswer, stop: AbortSignal): AsyncGenerator<Buffer, void> {
  const { size = Infinity, pauses } = download
  let answer = first
  let offset = 0
  let tries = 0
  let resumedAt = 0
  for (;;) {
    try {
      for await (const chunk of answer.body) {
        offset += chunk.length
        yield chunk
        if (offset > size) return
      }
      return
    } catch (error) {
      if (!(error instanceof HttpFault)) throw error
      if (offset - resumedAt >= PROGRESS) tries = 0
      const pause = pauses[tries++]
      if (pause === undefined) throw download.explain(error)
      await download.waitBefore(pause, download.explain(error))
      resumedAt = offset
      if (offset === 0) {
        answer = await download.open({}, stop)
      } else {
        answer = await download.open({ range: `bytes=${offset}-` }, stop)
        checkRange(answer, offset, first)
      }
    }
  }
}

/** RFC 9110, 14.4: `Content-Range: bytes FIRST-LAST/TOTAL`; Hudson leaves the unit out. */
function checkRange(answer: HttpAnswer, offset: number, first: HttpAnswer): void {
  const { status, headers } = answer
  const [, start, total] = /^(?:bytes )?([0-9]+)-[0-9]+\/([0-9]+|\*)$/.exec(headers.get('content-range') ?? '') ?? []
  const whole = first.headers.get('content-length') ?? total
  if (status === 206 && start === String(offset) && (total === whole || total === '*')) return
  answer.close()
  throw infrastructureError(
    'JENKINS_NOT_RESUMED',
    `${placeOf(answer.url)} broke off after ${offset} bytes and does not go on from there`,
    'run the command again, which fetches it from its beginning; if that goes on, a proxy before Jenkins ignores ranges',
  )
}
