import { exitCodes } from '../model/errors.js'
import { count } from '../model/quantity.js'
import { formatReference } from '../model/reference.js'
import type { Publication } from '../publish/publish.js'
import type { UploadReport } from '../upload/upload.js'
import type { Outcome } from './command.js'
import { describeHost, plainHost } from './upload-outcome.js'

/** What a publish or rollback came to, and the hosts to which it was uploaded. */
export function describePublication(publication: Publication, uploads: readonly UploadReport[] = []): Outcome {
  const { tree, build, serial, already, links, copies, removedGenerations, signed } = publication
  const name = formatReference(tree, build)
  const by = signed === undefined ? '' : `, signed by ${signed}`
  const made = `${count(links, 'link')}, ${copies === 1 ? '1 copy' : `${copies} copies`}${by}`
  const text = already
    ? `${name} was published already (generation ${serial})`
    : `${name} is published as generation ${serial} (${made})`
  const removed =
    removedGenerations.length === 0 ? '' : `\nremoved after their grace time: ${removedGenerations.join(', ')}`
  const failed = uploads.some(({ error }) => error !== undefined)
  return {
    json: { ...publication, ...(uploads.length > 0 && { uploads: uploads.map(plainHost) }) },
    text: [text + removed, ...uploads.map(describeHost)].join('\n'),
    exitCode: failed ? exitCodes.publish : 0,
  }
}
