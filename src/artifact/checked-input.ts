import { addAbortSignal } from 'node:stream'
import type { Readable } from 'node:stream'
import type { FileRecord } from '../model/build.js'
import type { Context } from '../model/report.js'
import { sha256Sum } from '../system/hash.js'
import { aborted } from '../system/process.js'
import { checkFile, damaged } from './damage.js'

/** A file of an artifact on its way in, held against what build.json says about it. */
export class CheckedInput {
  private readonly sum = sha256Sum()
  private size = 0
  private over = false

  constructor(
    private readonly record: FileRecord,
    private readonly input: Readable,
    private readonly context: Context,
  ) {
    // a signal that is aborted already destroys the input before anybody listens
    input.on('error', () => undefined)
    addAbortSignal(context.signal, input)
  }

  /**
   * Hands every chunk to `take`. Where `take` fails, the rest is still read, so that check() can tell a damaged file
   * from a bad one; then the failure is thrown.
   */
  async forEach(take: (chunk: Buffer) => void | Promise<void>): Promise<void> {
    const { record, context } = this
    let failure: { error: unknown } | undefined
    try {
      for await (const chunk of this.input as AsyncIterable<Buffer>) {
        this.size += chunk.length
        if (this.size > record.size) break
        this.sum.update(chunk)
        context.report.progress(this.size, record.size)
        try {
          if (failure === undefined) await take(chunk)
        } catch (error) {
          failure = { error }
        }
      }
    } catch (error) {
      throw context.signal.aborted ? aborted(`reading ${record.file}`) : error
    }
    this.over = true
    if (failure !== undefined) throw failure.error
  }

  /** To be called once. @throws PACK_DAMAGED; nothing where the input was not read to its end */
  check(): void {
    const { record, size } = this
    if (!this.over) return
    if (size > record.size) throw damaged(record.file, `it has more than ${record.size} bytes`)
    checkFile(record.file, record, { size, sha256: this.sum.digest('hex') })
  }
}
