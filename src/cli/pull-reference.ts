import { openSource } from '../agent/sources.js'
import { chooseNumber } from '../artifact/source.js'
import type { ArtifactSource } from '../artifact/source.js'
import { formatReference } from '../model/reference.js'
import type { Reference } from '../model/reference.js'
import type { Context } from '../model/report.js'
import { configOf } from './options.js'
import { usageError } from './usage-error.js'

interface FromArguments {
  from: string
  running: boolean
  root: string | undefined
  config: string | undefined
}

/** The build that a reference means in an artifact source: a number, or the latest that is there. */
export async function inSource(
  { tree, build }: Reference,
  args: FromArguments,
  context: Context,
): Promise<{ source: ArtifactSource; tree: string; number: number; name: string }> {
  const { from } = args
  if (build !== undefined && build.kind !== 'number' && build.kind !== 'latest') {
    throw usageError(
      `a source knows numbers, not what is ${build.kind === 'tag' ? 'tagged' : build.kind}`,
      `write ${tree}@12, ${tree}@latest or ${tree} together with --from`,
    )
  }
  const wanted = build?.kind === 'number' ? build.number : undefined
  if (args.running && (wanted === undefined || !from.startsWith('jenkins:'))) {
    throw usageError('--running needs the number of the running build', `write ${tree}@12 --from jenkins:JOB --running`)
  }
  const config = from.startsWith('jenkins:') ? configOf(args) : undefined
  const source = openSource(from, config, { context, ...(args.running && { running: wanted }) })
  const number = await chooseNumber(source, { kind: 'tree', name: tree }, wanted)
  return { source, tree, number, name: formatReference(tree, number) }
}
