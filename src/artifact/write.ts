import { basename, dirname, join, resolve } from 'node:path'
import type { Build } from '../model/build.js'
import { BUILD_FILE, encodeBuild, parseBuild } from '../model/build.js'
import { configurationError } from '../model/errors.js'
import { now } from '../system/clock.js'
import {
  errorCode,
  explainDiskError,
  listDirectory,
  makeOneDirectory,
  makeTemporaryDirectory,
  removeTree,
  rename,
  statusOf,
  syncDirectory,
  syncFileSystem,
  writeNew,
} from '../system/files.js'

/** Nobody packs for longer: what is older was left by one who was killed. */
const LEFT_BEHIND = 24 * 3600 * 1000

/**
 * Makes an artifact directory in one step: `fill` gets a directory beside OUTPUT that nobody else has; then build.json
 * is written, everything made durable and renamed to OUTPUT. On an error nothing is left behind.
 * @throws ARTIFACT_EXISTS, DISK, what `fill` throws
 */
export async function writeArtifact(output: string, fill: (directory: string) => Promise<Build>): Promise<Build> {
  const place = resolve(output)
  refuseExisting(output)
  const prefix = join(dirname(place), `.${basename(place)}.partial-`)
  let temporary: string | undefined
  try {
    removeLeftBehind(prefix)
    temporary = makeTemporaryDirectory(prefix)
    // one below it, because a temporary directory is nobody else's to read
    const partial = join(temporary, 'artifact')
    makeOneDirectory(partial)
    const text = encodeBuild(await fill(partial))
    const build = parseBuild(text, `${output}/${BUILD_FILE}`)
    writeNew(`${partial}/${BUILD_FILE}`, text)
    await syncFileSystem(partial)
    rename(partial, place)
    syncDirectory(dirname(place))
    return build
  } catch (error) {
    if (['ENOTEMPTY', 'EEXIST'].includes(errorCode(error) ?? '') && statusOf(place)) throw alreadyThere(output)
    throw explainDiskError(error, output)
  } finally {
    if (temporary !== undefined) removeTree(temporary)
  }
}

/** For those who would work for hours before they write. @throws ARTIFACT_EXISTS */
export function refuseExisting(output: string): void {
  if (statusOf(output) !== undefined) throw alreadyThere(output)
}

function removeLeftBehind(prefix: string): void {
  const parent = dirname(prefix)
  for (const { name } of listDirectory(parent)) {
    const path = join(parent, name)
    if (!path.startsWith(prefix)) continue
    const newest = Math.max(...[path, join(path, 'artifact')].map((one) => statusOf(one)?.mtimeMs ?? 0))
    if (newest < now() - LEFT_BEHIND) removeTree(path)
  }
}

function alreadyThere(output: string): Error {
  const isComplete = statusOf(join(output, BUILD_FILE)) !== undefined
  return configurationError(
    'ARTIFACT_EXISTS',
    isComplete ? `${output} is there already` : `${output} is there already, but is no complete artifact`,
    isComplete
      ? 'an artifact never changes: give the build another number, or name another directory'
      : `it has no ${BUILD_FILE}: if it is the rest of an interrupted copy, remove ${output}; else move it away or name another directory`,
  )
}
