import { basename, dirname, join } from 'node:path'
import * as z from 'zod'
import { configurationError } from '../model/errors.js'
import { explainDiskError, listDirectory, readTextIfThere, removeFile, writeAtomically } from '../system/files.js'
import { listGenerations, listUnfinished, readMarker, readPointer, stamps } from './generations.js'
import type { Pointer } from './generations.js'
import type { Store } from './layout.js'

const schema = z.strictObject({
  schema: z.literal(1),
  tree: z.string(),
  /** the highest serial ever given to a generation, published or not */
  serial: z.int().nonnegative(),
  /** every publish, oldest first; `at` is when the pointer moved (ISO 8601, UTC) */
  history: z.array(z.strictObject({ serial: z.int().positive(), build: z.int().positive(), at: z.iso.datetime() })),
  /** of the last published generation */
  stamps,
  /** tag → build */
  tags: z.record(z.string(), z.int().positive()),
  /** build → what a person noted about it */
  notes: z.record(z.string(), z.string()),
  /** builds that retention must not remove */
  keep: z.array(z.int().positive()),
})

/** What may change about a tree. */
export type TreeState = z.infer<typeof schema>

/**
 * The state of a tree as its file and its pointer tell it. Where they differ (a publish was killed, the file was
 * lost) the pointer is right: what it leads to was published, what lies beyond it was not.
 * @throws STATE_INVALID, STATE_TOO_NEW
 */
export function readState(store: Store, tree: string): TreeState {
  const path = store.state(tree)
  const text = readTextIfThere(path)
  const stored = text === undefined ? undefined : parse(text, path)
  const pointer = readPointer(store, tree)
  const state = stored ?? derive(store, tree)
  const used = [...listGenerations(store, tree), ...listUnfinished(store, tree), pointer?.serial ?? 0]
  return reconcile({ ...state, serial: Math.max(state.serial, ...used) }, pointer, store)
}

/** Durable when it returns. Call it under the tree's lock. @throws DISK */
export function writeState(store: Store, state: TreeState): void {
  const path = store.state(state.tree)
  try {
    removeUnfinished(path)
    writeAtomically(path, JSON.stringify(state, undefined, 2) + '\n')
  } catch (error) {
    throw explainDiskError(error, path)
  }
}

/** A killed process may have left a file that was to replace this one. */
function removeUnfinished(path: string): void {
  for (const { name } of listDirectory(dirname(path))) {
    const rest = name.startsWith(`${basename(path)}.`) ? name.slice(basename(path).length) : ''
    if (/^\.\d+\.tmp$/.test(rest)) removeFile(join(dirname(path), name))
  }
}

function derive(store: Store, tree: string): TreeState {
  const history = listGenerations(store, tree).flatMap((serial) => {
    const marker = readMarker(store, tree, serial)
    return marker === undefined ? [] : [{ serial, build: marker.build, at: marker.at }]
  })
  return { schema: 1, tree, serial: 0, history, stamps: {}, tags: {}, notes: {}, keep: [] }
}

function reconcile(state: TreeState, pointer: Pointer | undefined, store: Store): TreeState {
  if (pointer === undefined) return state
  const history = state.history.filter(({ serial }) => serial <= pointer.serial)
  const marker = readMarker(store, state.tree, pointer.serial)
  if (marker === undefined) return { ...state, history }
  if (history.at(-1)?.serial !== pointer.serial) {
    history.push({ serial: pointer.serial, build: marker.build, at: new Date(pointer.since).toISOString() })
  }
  return { ...state, history, stamps: marker.stamps }
}

function parse(text: string, path: string): TreeState {
  const data = parseJson(text)
  const version = typeof data === 'object' && data !== null && 'schema' in data ? data.schema : undefined
  if (typeof version === 'number' && version > 1) {
    throw configurationError(
      'STATE_TOO_NEW',
      `${path} was written by a newer treeswap (schema ${version}; this one knows 1)`,
      'upgrade treeswap on this host',
    )
  }
  const result = schema.safeParse(data)
  if (result.success) return result.data
  throw configurationError(
    'STATE_INVALID',
    `${path} is damaged: ${z.prettifyError(result.error).split('\n').join('; ')}`,
    'restore it from a backup, or move it away: all but tags, notes and kept builds is told from the generations',
  )
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
