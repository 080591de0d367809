import { count, humanBytes, humanSeconds } from '../model/quantity.js'
import type { Uploaded } from '../pipeline/upload.js'
import type { UploadReport } from '../upload/upload.js'
import type { Outcome } from './command.js'
import { plainError } from './plain-error.js'

/** What an upload came to, for each host. */
export function describeUpload({ tree, serial, hosts }: Uploaded): Outcome {
  const text = [`generation ${serial} of ${tree}:`, ...hosts.map(describeHost)].join('\n')
  return { json: { tree, serial, hosts: hosts.map(plainHost) }, text }
}

/** One host, as a part of a document of --json. */
export function plainHost({ error, ...host }: UploadReport): object {
  return { ...host, ...(error && { error: plainError(error) }) }
}

/** One host, as a line. */
export function describeHost({ name, host, files, bytes, already, removed, seconds, error }: UploadReport): string {
  const sent = `${count(files, 'file')} sent (${humanBytes(bytes)})`
  if (error !== undefined) {
    return `${name} (${host}): failed after ${sent}: ${error.message} [${error.code}]\n  ${error.hint}`
  }
  const gone = removed === 0 ? '' : `, ${removed} removed`
  return `${name} (${host}): ${sent}, ${already} there already${gone}, in ${humanSeconds(seconds)}`
}
