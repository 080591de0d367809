import type { Build } from '../model/build.js'
import { BUILD_FILE, encodeBuild, parseBuild } from '../model/build.js'
import { configurationError } from '../model/errors.js'
import {
  explainDiskError,
  makeDirectory,
  removeTree,
  rename,
  statusOf,
  syncDirectory,
  syncFileSystem,
  writeNew,
} from '../system/files.js'
import { dirname, resolve } from 'node:path'

/**
 * Makes an artifact directory in one step: `fill` gets OUTPUT.partial; then build.json is written, everything made
 * durable and renamed to OUTPUT. On an error nothing is left behind.
 * @throws ARTIFACT_EXISTS, DISK, what `fill` throws
 */
export async function writeArtifact(output: string, fill: (directory: string) => Promise<Build>): Promise<Build> {
  const place = resolve(output)
  if (statusOf(place) !== undefined) {
    throw configurationError(
      'ARTIFACT_EXISTS',
      `${output} is there already`,
      'an artifact never changes: give the build another number, or name another directory',
    )
  }
  const partial = `${place}.partial`
  try {
    removeTree(partial)
    makeDirectory(partial)
    const text = encodeBuild(await fill(partial))
    const build = parseBuild(text, `${output}/${BUILD_FILE}`)
    writeNew(`${partial}/${BUILD_FILE}`, text)
    await syncFileSystem(partial)
    rename(partial, place)
    syncDirectory(dirname(place))
    return build
  } catch (error) {
    removeTree(partial)
    throw explainDiskError(error, output)
  }
}
