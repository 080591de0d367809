import type { Build, FileRecord, Input, Pack } from '../model/build.js'
import { now } from '../system/clock.js'

/** What a record says of a tree's build, whatever the tree consists of. */
export interface TreeRecord {
  kind: 'machine' | 'pacman-repo'
  tree: string
  number: number
  /** number of the build whose packages it may name */
  base: number | undefined
  inputs: readonly Input[]
  /** program → version */
  tools: Readonly<Record<string, string>>
  /** ISO 8601, UTC */
  started: string
  packs: Pack[]
  log: FileRecord | undefined
}

/** The record of a build that has just been packed. */
export function treeRecord({ kind, tree, number, base, inputs, tools, started, packs, log }: TreeRecord): Build {
  return {
    schema: 1,
    kind,
    name: tree,
    number,
    started,
    finished: timestamp(),
    ...(base !== undefined && { base }),
    inputs: [...inputs],
    tools: { ...tools },
    packs,
    ...(log !== undefined && { log }),
  }
}

/** ISO 8601, UTC */
export function timestamp(): string {
  return new Date(now()).toISOString()
}
