import type { FileRecord } from '../model/build.js'
import { infrastructureError } from '../model/errors.js'

/** @param what the file and where it lies */
export function damaged(what: string, why: string, cause?: unknown): Error {
  return infrastructureError(
    'PACK_DAMAGED',
    `${what} is not what its build record says: ${why}`,
    'it was damaged or replaced after it was made; fetch the artifact again, or build again',
    cause,
  )
}

/** @throws PACK_DAMAGED */
export function checkFile(what: string, record: FileRecord, found: { size: number; sha256: string }): void {
  if (found.size !== record.size) throw damaged(what, `it has ${found.size} bytes instead of ${record.size}`)
  if (found.sha256 !== record.sha256) throw damaged(what, `its sha256 is ${found.sha256} instead of ${record.sha256}`)
}
