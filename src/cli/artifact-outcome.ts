import type { Build } from '../model/build.js'
import { humanBytes } from '../model/quantity.js'
import type { Outcome } from './command.js'
import { table } from './table.js'

/** What a command that makes an artifact came to. */
export function describeArtifact(build: Build, output: string, more: Record<string, unknown> = {}): Outcome {
  const bytes = build.packs.reduce((sum, { size }) => sum + size, 0)
  const rows = build.packs.map(({ name, role, size }) => [name, role, humanBytes(size)])
  return {
    json: { build, output, bytes, ...more },
    text: `${build.name}@${build.number} is archived in ${output} (${humanBytes(bytes)})\n${table(['PACK', 'HOLDS', 'SIZE'], rows)}`,
  }
}
