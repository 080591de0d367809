import { formatReference } from '../model/reference.js'
import type { Publication } from '../publish/publish.js'
import type { Outcome } from './command.js'
import { count } from '../model/quantity.js'

/** What a publish or rollback came to. */
export function describePublication(publication: Publication): Outcome {
  const { tree, build, serial, already, links, copies, removedGenerations, signed } = publication
  const name = formatReference(tree, build)
  const by = signed === undefined ? '' : `, signed by ${signed}`
  const made = `${count(links, 'link')}, ${copies === 1 ? '1 copy' : `${copies} copies`}${by}`
  const text = already
    ? `${name} was published already (generation ${serial})`
    : `${name} is published as generation ${serial} (${made})`
  const removed =
    removedGenerations.length === 0 ? '' : `\nremoved after their grace time: ${removedGenerations.join(', ')}`
  return { json: { ...publication }, text: text + removed }
}
