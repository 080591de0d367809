import { join, resolve } from 'node:path'
import { configurationError } from '../model/errors.js'
import type { ObjectKey } from '../model/object-key.js'
import { exists, isDirectory, makeDirectory, readTextIfThere, serveNewFiles, writeAtomically } from '../system/files.js'

/** Where everything of a publisher lies. Names given to it have been validated (model/names.ts). */
export interface Store {
  readonly root: string
  /** `objects/xx/KEY`: complete and durable, or not there */
  object(key: ObjectKey): string
  /** `manifests/SHA256.zst`: there only when all its objects are */
  manifest(sha256: string): string
  /** `builds/TREE/N/`: build.json and log, immutable */
  build(tree: string, number: number): string
  /** `trees/TREE.json` */
  state(tree: string): string
  /** `incoming/TREE/`: what a pull has not finished */
  incoming(tree: string): string
  /** `published/TREE`: the one link that a publish renames */
  pointer(tree: string): string
  /** `published/.generations/TREE.SERIAL/` */
  generation(tree: string, serial: number): string
  /** `derived/FINGERPRINT/NAME`: names the object that was made from another one with that key */
  derived(fingerprint: string, name: string): string
  lock(name: string): string
}

const MARKER = 'store.json'

/**
 * @param create makes a store where there is none yet, and directories that a backup left out because they were empty;
 * without it a missing store is an error
 * @throws STORE_MISSING, STORE_TOO_NEW, STORE_INVALID
 */
export function openStore(root: string, { create = false } = {}): Store {
  const store = layout(resolve(root))
  const marker = join(store.root, MARKER)
  const text = readTextIfThere(marker)
  if (text !== undefined) checkSchema(text, marker)
  else if (!create) throw missing(store.root)
  serveNewFiles()
  if (create) makeDirectories(store.root)
  if (text === undefined) writeAtomically(marker, JSON.stringify({ schema: 1 }) + '\n')
  return store
}

export const GENERATIONS = '.generations'

function layout(root: string): Store {
  const published = join(root, 'published')
  return {
    root,
    object: (key) => `${root}/objects/${key.slice(0, 2)}/${key}`,
    manifest: (sha256) => join(root, 'manifests', `${sha256}.zst`),
    build: (tree, number) => join(root, 'builds', tree, String(number)),
    state: (tree) => join(root, 'trees', `${tree}.json`),
    incoming: (tree) => join(root, 'incoming', tree),
    pointer: (tree) => join(published, tree),
    generation: (tree, serial) => join(published, GENERATIONS, `${tree}.${serial}`),
    derived: (fingerprint, name) => join(root, 'derived', fingerprint, name),
    lock: (name) => join(root, 'locks', `${name}.lock`),
  }
}

function makeDirectories(root: string): void {
  for (let prefix = 0; prefix < 256; prefix++) {
    makeDirectory(join(root, 'objects', prefix.toString(16).padStart(2, '0')))
  }
  for (const name of ['manifests', 'builds', 'trees', 'incoming', 'locks', `published/${GENERATIONS}`]) {
    makeDirectory(join(root, name))
  }
}

function checkSchema(text: string, marker: string): void {
  const schema = /^\{"schema":\s*(\d+)/.exec(text)?.[1]
  if (schema === '1') return
  if (schema === undefined) {
    throw configurationError(
      'STORE_INVALID',
      `${marker} is damaged`,
      'if this is the directory of a treeswap publisher, write {"schema":1} into that file',
    )
  }
  throw configurationError(
    'STORE_TOO_NEW',
    `the store was written by a newer treeswap (${marker}: schema ${schema}; this one knows 1)`,
    'upgrade treeswap on this host',
  )
}

function missing(root: string): Error {
  const why = !exists(root) ? 'it does not exist' : isDirectory(root) ? 'it holds no store' : 'it is no directory'
  return configurationError(
    'STORE_MISSING',
    `${root} is not a treeswap publisher's directory: ${why}`,
    'the first `treeswap run` or `treeswap pull` makes it; where it lies elsewhere, name it with --root DIR (or publisher.root in treeswap.yaml)',
  )
}
