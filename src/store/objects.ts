import type { TarSink } from '../artifact/tar-sink.js'
import { modeOf, objectKey, objectMtime, sha256Of } from '../model/object-key.js'
import type { ObjectKey } from '../model/object-key.js'
import { breathe } from '../system/clock.js'
import {
  close,
  errorCode,
  listDirectory,
  open,
  readBytes,
  readStream,
  removeFile,
  rename,
  setTimes,
  statusOf,
  writeAll,
  writeNew,
} from '../system/files.js'
import { sha256, sha256OfFile, sumsOf } from '../system/hash.js'
import { aborted } from '../system/process.js'
import type { Store } from './layout.js'

/** Which objects the store has. Directories are read once, when the first key that lies in them is asked for. */
export function knownObjects(store: Store): (key: ObjectKey) => boolean {
  const prefixes = new Map<string, Set<string>>()
  return (key) => {
    const prefix = key.slice(0, 2)
    let names = prefixes.get(prefix)
    if (names === undefined) {
      names = new Set(listDirectory(`${store.root}/objects/${prefix}`).map(({ name }) => name))
      prefixes.set(prefix, names)
    }
    return names.has(key)
  }
}

export interface Staging {
  /** to be given to a reader of archives: takes over what is wanted, ignores the rest */
  sink: TarSink
  staged: ReadonlySet<ObjectKey>
}

/**
 * Collects objects in a directory of their own until everything has been verified and made durable.
 * @param directory exists
 * @param wanted keys to take over; one that has been staged is removed from it
 * @param expected key of a large file by its path, so that one that is not wanted need not be written
 */
export function stageObjects(
  directory: string,
  wanted: Set<ObjectKey>,
  expected: (path: string) => ObjectKey | undefined,
): Staging {
  const staged = new Set<ObjectKey>()
  let largeFiles = 0

  function take(key: ObjectKey, put: (path: string) => void): void {
    const path = `${directory}/${key}`
    put(path)
    const mtime = objectMtime(key)
    setTimes(path, mtime, mtime)
    wanted.delete(key)
    staged.add(key)
  }

  const sink: TarSink = {
    directory: nothing,
    symlink: nothing,
    duplicate: nothing,
    file({ sha256: digest, executable }, content) {
      const key = objectKey(digest, executable)
      if (wanted.has(key)) take(key, (path) => writeNew(path, content, modeOf(key)))
    },
    largeFile(path, executable) {
      const key = expected(path)
      if (key === undefined || !wanted.has(key)) return { write: nothing, end: nothing, abandon: nothing }
      const temporary = `${directory}/large-${++largeFiles}`
      const file = open(temporary, 'wx', executable ? 0o755 : 0o644)
      return {
        write: (chunk) => writeAll(file, chunk),
        end({ sha256: digest }) {
          close(file)
          const actual = objectKey(digest, executable)
          if (wanted.has(actual)) take(actual, (target) => rename(temporary, target))
          else removeFile(temporary)
        },
        abandon() {
          close(file)
        },
      }
    },
  }
  return { sink, staged }
}

/** Moves staged objects to their places. They must be durable before. */
export async function placeObjects(store: Store, directory: string, keys: Iterable<ObjectKey>): Promise<void> {
  let moved = 0
  for (const key of keys) {
    rename(`${directory}/${key}`, store.object(key))
    if (++moved % 2000 === 0) await breathe()
  }
}

const LARGE = 8 * 2 ** 20

/** Whether a file is what its key says: content, mode, and time, by which rsync tells contents of equal size apart. */
export async function isSoundObject(path: string, key: ObjectKey): Promise<boolean> {
  const status = statusOf(path)
  if (status === undefined || !looksSound(status, key)) return false
  const digest = async (): Promise<string> => (status.size > LARGE ? await sha256OfFile(path) : sha256(readBytes(path)))
  return (await unlessUnreadable(digest)) === sha256Of(key)
}

/** The same in one reading with other sums of its content. @returns undefined where it is not sound. @throws ABORTED */
export async function sumsOfSoundObject(
  path: string,
  key: ObjectKey,
  signal: AbortSignal,
): Promise<Record<'md5' | 'sha1', string> | undefined> {
  const status = statusOf(path)
  if (status === undefined || !looksSound(status, key)) return undefined
  const found = sumsOf('sha256', 'md5', 'sha1')
  const sums = await unlessUnreadable(async () => {
    for await (const chunk of readStream(path, { highWaterMark: 1 << 20 })) {
      if (signal.aborted) throw aborted('the check')
      found.update(chunk as Buffer)
    }
    return found.digest()
  })
  return sums?.sha256 === sha256Of(key) ? sums : undefined
}

function looksSound(status: NonNullable<ReturnType<typeof statusOf>>, key: ObjectKey): boolean {
  return (
    status.isFile() && (status.mode & 0o777) === modeOf(key) && Math.floor(status.mtimeMs / 1000) === objectMtime(key)
  )
}

async function unlessUnreadable<T>(reading: () => Promise<T>): Promise<T | undefined> {
  try {
    return await reading()
  } catch (error) {
    if (errorCode(error) === 'EIO') return undefined
    throw error
  }
}

function nothing(): void {
  // the store has it, or has no need of it
}
