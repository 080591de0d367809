import { publishError } from '../model/errors.js'

/** @param file named in the error; its path or name */
export function invalidPackage(file: string, why: string, cause?: unknown): Error {
  return publishError(
    'PACKAGE_INVALID',
    `${file} is no package for a repo: ${why}`,
    'nothing of it was taken over; see what made it, and let makepkg build it again',
    cause,
  )
}
