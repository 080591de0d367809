import { chooseNumber, openSource } from '../artifact/source.js'
import type { ArtifactSource } from '../artifact/source.js'
import { formatReference } from '../model/reference.js'
import type { Reference } from '../model/reference.js'
import { usageError } from './usage-error.js'

/** The build that a reference means in an artifact source: a number, or the latest that is there. */
export async function inSource(
  { tree, build }: Reference,
  from: string,
): Promise<{ source: ArtifactSource; tree: string; number: number; name: string }> {
  if (build !== undefined && build.kind !== 'number' && build.kind !== 'latest') {
    throw usageError(
      `a source knows numbers, not what is ${build.kind === 'tag' ? 'tagged' : build.kind}`,
      `write ${tree}@12, ${tree}@latest or ${tree} together with --from`,
    )
  }
  const source = openSource(from)
  const wanted = build?.kind === 'number' ? build.number : undefined
  const number = await chooseNumber(source, { kind: 'machine', name: tree }, wanted)
  return { source, tree, number, name: formatReference(tree, number) }
}
