import { join } from 'node:path'
import * as z from 'zod'
import { readStateFile, writeStateFile } from '../agent/state-file.js'
import type { Store } from '../store/layout.js'
import { listDirectory } from '../system/files.js'

const time = z.iso.datetime()

const recipe = z.object({
  base: z.string(),
  status: z.enum(['built', 'failed', 'skipped', 'held', 'removed']),
  version: z.string().exactOptional(),
  reason: z.string().exactOptional(),
  code: z.string().exactOptional(),
  hint: z.string().exactOptional(),
})

const ended = z.object({
  /** when it began and when it ended, ISO 8601, UTC */
  began: time,
  ended: time,
  status: z.enum(['built', 'published', 'unchanged', 'failed']),
  /** of the build that it made, or found; absent: there is none */
  number: z.int().positive().optional(),
  /** whether something stayed as it was that should have been built */
  partial: z.boolean(),
  /** recipes that were not just kept */
  recipes: z.array(recipe),
  /** of what failed as a whole */
  error: z.object({ code: z.string(), message: z.string(), hint: z.string() }).optional(),
})

const schema = z.object({
  schema: z.literal(1),
  tree: z.string(),
  /** of a run that has not ended: it is at work, or was killed */
  running: time.optional(),
  /** the last one that had something to do, or found that there is nothing */
  last: ended.optional(),
  /** when a later one found nothing new to try */
  checked: time.optional(),
})

export type EndedRun = z.infer<typeof ended>
export type RunRecord = Omit<z.infer<typeof schema>, 'schema' | 'tree'>

/**
 * What runs of a pacman repo on this host came to: one in which nothing could be built leaves no build that tells of it.
 * @returns empty where none is recorded, or the record cannot be read: nothing depends on it but what is told
 */
export function readRuns(store: Store, tree: string): RunRecord {
  const data = readStateFile(placeOf(store, tree), schema)
  return data?.tree === tree ? data : {}
}

/** Replaces the record as one step. The caller holds the lock on runs of the tree. @throws what the disk does */
export function writeRuns(store: Store, tree: string, record: RunRecord): void {
  const { running, last, checked } = record
  writeStateFile(placeOf(store, tree), { schema: 1, tree, running, last, checked })
}

/** Trees of which a run is recorded, sorted. */
export function treesWithRuns(store: Store): string[] {
  return listDirectory(directoryOf(store)).flatMap(({ name }) => /^(.+)\.json$/.exec(name)?.[1] ?? [])
}

function directoryOf(store: Store): string {
  return join(store.root, 'runs')
}

function placeOf(store: Store, tree: string): string {
  return join(directoryOf(store), `${tree}.json`)
}
