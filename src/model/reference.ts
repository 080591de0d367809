import { configurationError } from './errors.js'
import { validName } from './names.js'

/** Which build of a tree is meant. */
export type Selector =
  | { kind: 'number'; number: number }
  /** what clients are served now */
  | { kind: 'published' }
  /** the highest number in the store */
  | { kind: 'latest' }
  /** the build published before the one that is published now */
  | { kind: 'previous' }
  | { kind: 'tag'; tag: string }

export interface Reference {
  tree: string
  /** undefined where the command's default is meant */
  build: Selector | undefined
}

/**
 * Reads `TREE`, `TREE@12`, `TREE@published`, `TREE@latest`, `TREE@-1` or `TREE@TAG`.
 * @throws NAME_INVALID, REFERENCE_INVALID
 */
export function parseReference(text: string): Reference {
  const at = text.indexOf('@')
  if (at === -1) return { tree: validName('tree', text), build: undefined }
  return { tree: validName('tree', text.slice(0, at)), build: parseSelector(text.slice(at + 1), text) }
}

function parseSelector(text: string, whole: string): Selector {
  if (text === 'published' || text === 'latest') return { kind: text }
  if (text === '-1') return { kind: 'previous' }
  if (/^[1-9][0-9]{0,9}$/.test(text)) return { kind: 'number', number: Number(text) }
  if (/^[A-Za-z][^@]*$/.test(text)) return { kind: 'tag', tag: validName('tag', text) }
  throw configurationError(
    'REFERENCE_INVALID',
    `${JSON.stringify(whole)} does not name a build`,
    'write TREE, TREE@12, TREE@published, TREE@latest, TREE@-1 or TREE@TAG; ' +
      'in a job, where the tree is given apart, only what follows the @: 12, latest, -1 or a tag',
  )
}

export function formatReference(tree: string, number: number): string {
  return `${tree}@${number}`
}
