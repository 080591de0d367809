import * as z from 'zod'
import { infrastructureError } from '../model/errors.js'
import { readTextIfThere, writeAtomically } from '../system/files.js'
import type { RootPaths } from './layout.js'

const record = z.strictObject({
  schema: z.literal(1),
  name: z.string(),
  /** first of the 65,536 host uids and gids that belong to this root alone */
  uidBase: z.int().positive(),
  /** ISO 8601, UTC */
  created: z.iso.datetime(),
  /** tarball or directory it was made from */
  from: z.string(),
})

const head = z.strictObject({
  schema: z.literal(1),
  /** numbers of the layers that make up the root, from the bottom to the top */
  layers: z.array(z.int().positive()).min(1),
})

export type RootRecord = z.infer<typeof record>

/** A root as users see it. */
export interface ChrootInfo extends Omit<RootRecord, 'schema'> {
  layers: number[]
}

/** The root's record and layers; undefined where there is no (completely made) root. */
export function readRoot(paths: RootPaths): ChrootInfo | undefined {
  const headText = readTextIfThere(paths.head)
  const recordText = headText === undefined ? undefined : readTextIfThere(paths.record)
  if (headText === undefined || recordText === undefined) return undefined
  const { name, uidBase, created, from } = parse(record, recordText, paths.record)
  return { name, uidBase, created, from, layers: parse(head, headText, paths.head).layers }
}

export function writeRecord(paths: RootPaths, root: Omit<RootRecord, 'schema'>): void {
  writeAtomically(paths.record, JSON.stringify({ schema: 1, ...root }, undefined, 2) + '\n')
}

/** The commit point: from here on the root consists of `layers`. Durable when it returns. */
export function writeHead(paths: RootPaths, layers: number[]): void {
  writeAtomically(paths.head, JSON.stringify({ schema: 1, layers }) + '\n')
}

function parse<T>(schema: z.ZodType<T>, text: string, file: string): T {
  try {
    return schema.parse(JSON.parse(text))
  } catch (cause) {
    throw infrastructureError(
      'CHROOT_DAMAGED',
      `${file} cannot be read: it was damaged, or written by a newer treeswap`,
      'remove the chroot and create it again, or upgrade treeswap',
      cause,
    )
  }
}
