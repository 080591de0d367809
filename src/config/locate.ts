import { isAlias, isMap, isNode, isScalar, isSeq } from 'yaml'
import type { Document, LineCounter, Node } from 'yaml'

/**
 * `LINE:COLUMN` of what lies at `path`, or of the nearest thing around it that is written in the file.
 * @param at whether the value or its key is wanted
 */
export function locate(document: Document, lines: LineCounter, path: PropertyKey[], at: 'key' | 'value'): string {
  let node: unknown = document.contents
  let found: Node | undefined = isNode(node) ? node : undefined
  for (const [index, segment] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document)
    const last = index === path.length - 1
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(segment))
      if (pair === undefined) break
      node = pair.value
      const wanted = last && at === 'value' && isNode(node) && node.range ? node : pair.key
      if (isNode(wanted)) found = wanted
    } else if (isSeq(node)) {
      node = node.items[Number(segment)]
      if (isNode(node)) found = node
    } else break
  }
  const { line, col } = lines.linePos(found?.range?.[0] ?? 0)
  return `${line}:${col}`
}
