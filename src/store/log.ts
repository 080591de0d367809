import { join } from 'node:path'
import type { ArtifactSource, Item } from '../artifact/source.js'
import type { Build } from '../model/build.js'
import { TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { close, open, write } from '../system/files.js'

/** More is cut off: nobody reads it, and a runaway build must not fill the publisher's disk. */
const MAXIMUM = 256 * 2 ** 20

/**
 * Copies a build's log, if it has one, into a directory. A build is good without its log, so a lost one is no error.
 * @returns bytes
 */
export async function fetchLog(
  source: ArtifactSource,
  item: Item,
  build: Build,
  directory: string,
  { report }: Context,
): Promise<number> {
  if (build.log === undefined) return 0
  let input: AsyncIterable<Buffer>
  try {
    input = await source.open(item, build.number, build.log)
  } catch (error) {
    if (!(error instanceof TreeswapError)) throw error
    report.warn(`the log of ${item.name}@${build.number} is not there: ${error.message}`)
    return 0
  }
  const file = open(join(directory, build.log), 'wx', 0o644)
  let bytes = 0
  try {
    for await (const chunk of input) {
      const rest = chunk.subarray(0, MAXIMUM - bytes)
      for (let done = 0; done < rest.length;) done += write(file, rest, done)
      bytes += rest.length
      if (bytes === MAXIMUM) {
        report.warn(`the log of ${item.name}@${build.number} is longer than ${MAXIMUM} bytes: the rest is left out`)
        break
      }
    }
  } finally {
    close(file)
  }
  return bytes
}
