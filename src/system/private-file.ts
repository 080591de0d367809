import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'

/**
 * Content of a regular file and its permission bits at the moment of reading. Links are followed.
 * @param largest in bytes
 * @throws Error where it is no regular file or larger than that, and what the system says
 */
export function readSmallFile(path: string, largest: number): { bytes: Buffer; mode: number } {
  // a pipe that nobody writes to would be waited for
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const status = fstatSync(file)
    if (!status.isFile()) throw new Error('it is no regular file')
    if (status.size > largest) throw new Error(`it is larger than ${largest} bytes`)
    return { bytes: readFileSync(file), mode: status.mode & 0o7777 }
  } finally {
    closeSync(file)
  }
}
