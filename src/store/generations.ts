import { basename, dirname, join } from 'node:path'
import * as z from 'zod'
import { linkTarget, listDirectory, readTextIfThere, statusOf } from '../system/files.js'
import { GENERATIONS } from './layout.js'
import type { Store } from './layout.js'

/** By index file: what its stamp was (seconds since 1970), and of which content, where equal content keeps it. */
export const stamps = z.record(z.string(), z.strictObject({ time: z.int(), content: z.string().optional() }))
export type Stamps = z.infer<typeof stamps>

/** One publish; `at` is when the pointer moved (ISO 8601, UTC). */
export const publishEntry = z.strictObject({
  serial: z.int().positive(),
  build: z.int().positive(),
  at: z.iso.datetime(),
})
export type PublishEntry = z.infer<typeof publishEntry>

/** What a publish was told, and the next one assumes unless it is told otherwise. */
export const settings = z.strictObject({
  /** public base URL without a slash at its end */
  http: z.string().optional(),
  graceSeconds: z.number().nonnegative().optional(),
  /** fingerprint of the key that signs; absent: unsigned */
  signed: z
    .string()
    .regex(/^[0-9A-F]{40}$/)
    .optional(),
})
export type Settings = z.infer<typeof settings>

/** Files of builds before, for clients that have an older index: where they lie, and since when no index names them. */
const kept = z.record(
  z.string(),
  z.strictObject({
    key: z.string().regex(/^[0-9a-f]{64}x?$/),
    size: z.int().nonnegative(),
    /** seconds since 1970 */
    since: z.int(),
  }),
)
export type Kept = z.infer<typeof kept>

const marker = z.object({
  schema: z.literal(1),
  tree: z.string(),
  serial: z.int().positive(),
  build: z.int().positive(),
  /** when it was begun, ISO 8601, UTC */
  at: z.iso.datetime(),
  uri: z.string().optional(),
  settings: settings.optional(),
  /** fingerprint of the key or subkey that signed the indexes */
  signedBy: z
    .string()
    .regex(/^[0-9A-F]{40}$/)
    .optional(),
  stamps,
  /** the publishes before this one, oldest first: as many as an operator may want to go back to */
  history: z.array(publishEntry).optional(),
  /** sha256 of each index file by its path: everything else is told by the build */
  index: z.record(z.string(), z.string()),
  kept: kept.optional(),
})

/**
 * What a generation says of itself in a file inside it. What is published is what the pointer leads to, so that one
 * rename changes both, and state can be told after a crash without a journal.
 */
export type Marker = z.infer<typeof marker>

/** Hidden from clients: servers leave dot names of the published tree out. */
export const MARKER_FILE = '.treeswap.json'

/** Undefined where the generation is not there or not readable. */
export function readMarker(store: Store, tree: string, serial: number): Marker | undefined {
  const text = readTextIfThere(join(store.generation(tree, serial), MARKER_FILE))
  if (text === undefined) return undefined
  try {
    const result = marker.safeParse(JSON.parse(text))
    return result.success && result.data.tree === tree && result.data.serial === serial ? result.data : undefined
  } catch {
    return undefined
  }
}

/** Trees that have, or had, something published, sorted by name. */
export function publishedTrees(store: Store): string[] {
  const pointers = listDirectory(join(store.root, 'published'))
    .map(({ name }) => name)
    .filter((name) => readPointer(store, name) !== undefined)
  const generations = generationNames(store).flatMap((name) => /^([^.].*)\.[1-9]\d*$/.exec(name)?.[1] ?? [])
  return [...new Set([...pointers, ...generations])].sort()
}

export interface Pointer {
  serial: number
  /** when the link was made, milliseconds since 1970 */
  since: number
}

/** Where the tree's one link leads; undefined where nothing is published, or it leads to no generation of the tree. */
export function readPointer(store: Store, tree: string): Pointer | undefined {
  const path = store.pointer(tree)
  const target = linkTarget(path)
  const serial = target === undefined ? undefined : pointedSerial(tree, target)
  return serial === undefined ? undefined : { serial, since: statusOf(path)?.mtimeMs ?? 0 }
}

/** What lies where trees are published and is nothing of treeswap's. Paths relative to the store's root. */
export function foreignPublished(store: Store): string[] {
  const links = listDirectory(join(store.root, 'published'))
    .filter(({ name }) => name !== GENERATIONS && !/^\..+\.tmp$/.test(name) && readPointer(store, name) === undefined)
    .map(({ name }) => join('published', name))
  const inside = listDirectory(join(store.root, 'published', GENERATIONS))
    .filter((entry) => !entry.isDirectory() || !/^([^.].*\.[1-9]\d*|\..+\.[1-9]\d*\.partial)$/.test(entry.name))
    .map(({ name }) => join('published', GENERATIONS, name))
  return [...links, ...inside]
}

/** Serials of the complete generations that are there, ascending. */
export function listGenerations(store: Store, tree: string): number[] {
  return generationNames(store)
    .map((name) => serialOf(tree, name))
    .filter((serial) => serial !== undefined)
    .sort((a, b) => a - b)
}

/**
 * A directory that is being filled or taken down. It can be told from a generation by its name alone, so that a
 * killed process leaves nothing that looks complete.
 */
export function unfinishedGeneration(store: Store, tree: string, serial: number): string {
  return join(store.root, 'published', GENERATIONS, `.${tree}.${serial}.partial`)
}

/** Serials of the tree whose unfinishedGeneration a killed process left behind. */
export function listUnfinished(store: Store, tree: string): number[] {
  return generationNames(store)
    .map((name) => /^\.(.*)\.partial$/.exec(name)?.[1])
    .map((name) => (name === undefined ? undefined : serialOf(tree, name)))
    .filter((serial) => serial !== undefined)
}

function generationNames(store: Store): string[] {
  return listDirectory(join(store.root, 'published', GENERATIONS)).map((entry) => entry.name)
}

function pointedSerial(tree: string, target: string): number | undefined {
  return dirname(target) === GENERATIONS ? serialOf(tree, basename(target)) : undefined
}

/** `TREE.12` → 12. Tree names may hold dots themselves. */
function serialOf(tree: string, name: string): number | undefined {
  const rest = name.startsWith(`${tree}.`) ? name.slice(tree.length + 1) : ''
  return /^[1-9]\d*$/.test(rest) ? Number(rest) : undefined
}
