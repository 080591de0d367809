import { basename, dirname, join } from 'node:path'
import * as z from 'zod'
import { configurationError } from '../model/errors.js'
import { explainDiskError, listDirectory, readTextIfThere, removeFile, writeAtomically } from '../system/files.js'
import {
  listGenerations,
  listUnfinished,
  publishEntry,
  readMarker,
  readPointer,
  settings,
  stamps,
} from './generations.js'
import type { Marker, Pointer, PublishEntry, Stamps } from './generations.js'
import type { Store } from './layout.js'

const schema = z.strictObject({
  schema: z.literal(1),
  tree: z.string(),
  /** the highest serial ever given to a generation, published or not */
  serial: z.int().nonnegative(),
  /** every publish, oldest first */
  history: z.array(publishEntry),
  /** the latest that were ever given to an index file, published or not */
  stamps,
  /** of the last publish */
  settings: settings.optional(),
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
  const stored = text === undefined ? undefined : parse(text, tree, path)
  const pointer = readPointer(store, tree)
  const serials = listGenerations(store, tree)
  const markers = serials.flatMap((serial) => readMarker(store, tree, serial) ?? [])
  const state = stored ?? derive(tree, markers, pointer)
  const used = [...serials, ...listUnfinished(store, tree), pointer?.serial ?? 0]
  const latest = latestStamps([state.stamps, ...markers.map((marker) => marker.stamps)])
  return reconcile({ ...state, serial: Math.max(state.serial, ...used), stamps: latest }, markers, pointer)
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

function derive(tree: string, markers: readonly Marker[], pointer: Pointer | undefined): TreeState {
  const last = markers.find(({ serial }) => serial === pointer?.serial) ?? markers.at(-1)
  const history = new Map<number, PublishEntry>()
  for (const { serial, build, at } of markers) history.set(serial, { serial, build, at })
  for (const entry of last?.history ?? []) history.set(entry.serial, entry)
  return {
    schema: 1,
    tree,
    serial: 0,
    history: [...history.values()].sort((a, b) => a.serial - b.serial),
    stamps: {},
    ...(last?.settings !== undefined && { settings: last.settings }),
    tags: {},
    notes: {},
    keep: [],
  }
}

/** By index file the latest stamp; without its content where two contents have it. */
function latestStamps(all: readonly Stamps[]): Stamps {
  const latest: Stamps = {}
  for (const [path, stamp] of all.flatMap((stamps) => Object.entries(stamps))) {
    const known = latest[path]
    if (known === undefined || stamp.time > known.time) latest[path] = stamp
    else if (stamp.time === known.time && stamp.content !== known.content) latest[path] = { time: stamp.time }
  }
  return latest
}

function reconcile(state: TreeState, markers: readonly Marker[], pointer: Pointer | undefined): TreeState {
  if (pointer === undefined) return state
  const history = state.history.filter(({ serial }) => serial <= pointer.serial)
  const marker = markers.find(({ serial }) => serial === pointer.serial)
  if (marker === undefined || history.at(-1)?.serial === pointer.serial) return { ...state, history }
  history.push({ serial: pointer.serial, build: marker.build, at: new Date(pointer.since).toISOString() })
  return { ...state, history, ...(marker.settings !== undefined && { settings: marker.settings }) }
}

function parse(text: string, tree: string, path: string): TreeState {
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
  if (result.success && result.data.tree === tree) return result.data
  const why = result.success
    ? `it is that of ${result.data.tree}`
    : z.prettifyError(result.error).split('\n').join('; ')
  throw configurationError(
    'STATE_INVALID',
    `${path} is damaged: ${why}`,
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
