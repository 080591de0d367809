import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'

/**
 * Reads a file in a directory that somebody else writes: a container, or the author of a repository. Symlinks are not
 * followed at the last component, and nothing but a regular file is waited for.
 * @param limit bytes; of a larger file the first, or with `end` the last ones
 * @returns undefined where there is no regular file
 */
export function readForeignFile(path: string, limit: number, end = false): Buffer | undefined {
  let file: number
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
  try {
    const status = fstatSync(file)
    if (!status.isFile()) return undefined
    const content = Buffer.alloc(Math.min(status.size, limit))
    const from = end ? status.size - content.length : 0
    let done = 0
    while (done < content.length) {
      const got = readSync(file, content, done, content.length - done, from + done)
      if (got === 0) break
      done += got
    }
    return content.subarray(0, done)
  } finally {
    closeSync(file)
  }
}
