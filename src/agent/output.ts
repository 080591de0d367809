import { join } from 'node:path'
import type { Item } from '../artifact/source.js'

/** Where a build of `item` is archived in a directory source. */
export function artifactPath(source: string, { kind, name }: Item, number: number): string {
  const top = source.slice('dir:'.length)
  return kind === 'ebuild-repo' ? join(top, 'repos', name, String(number)) : join(top, name, String(number))
}
