import { join } from 'node:path'
import { fetchFile } from '../artifact/source.js'
import type { ArtifactSource, Item } from '../artifact/source.js'
import type { Build } from '../model/build.js'
import { TreeswapError } from '../model/errors.js'
import { formatReference } from '../model/reference.js'
import type { Context } from '../model/report.js'

/** Nobody reads more, and a runaway build must not fill the publisher's disk. */
const MAXIMUM = 256 * 2 ** 20

/** What a source can do to a log without any harm to the build. */
const harmless = new Set(['FILE_MISSING', 'NAME_INVALID', 'PACK_DAMAGED'])

/**
 * Copies a build's log, if it has one, into a directory, verified. A build is good without its log, so one that is
 * lost, damaged or too long is left out with a warning.
 * @returns bytes
 * @throws DISK, ABORTED
 */
export async function fetchLog(
  source: ArtifactSource,
  item: Item,
  { log, number }: Build,
  directory: string,
  context: Context,
): Promise<number> {
  if (log === undefined) return 0
  const leaveOut = (why: string): number => {
    context.report.warn(`the log of ${formatReference(item.name, number)} is left out: ${why}`)
    return 0
  }
  if (log.size > MAXIMUM) return leaveOut(`it is longer than ${MAXIMUM} bytes`)
  try {
    await fetchFile(source, item, number, log, join(directory, log.file), context)
    return log.size
  } catch (error) {
    if (error instanceof TreeswapError && harmless.has(error.code)) return leaveOut(error.message)
    throw error
  }
}
