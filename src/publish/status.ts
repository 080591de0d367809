import { readBuild } from '../store/builds.js'
import { listGenerations, readMarker, readPointer } from '../store/generations.js'
import type { Store } from '../store/layout.js'
import { publishedNumber } from '../store/references.js'
import { readParts } from './generation-files.js'
import type { TreeKey } from './options.js'
import { outdatedSignatures } from './outdated.js'

/** What clients of a tree are served. */
export interface PublishedBuild {
  build: number
  serial: number
  /** when clients were led there, ISO 8601, UTC */
  since: string
  /** where its index tells clients to fetch packages */
  uri?: string
  /** fingerprint of the key that signed it; absent: unsigned */
  signed?: string
  /** serials of the generations that are there, ascending */
  generations: number[]
}

/**
 * Why what is published has not the signatures that the configuration and its key would give it now; undefined: it has.
 * @param signing the key that the configuration has
 * @throws what readParts throws
 */
export async function outdatedPublished(
  store: Store,
  tree: string,
  signing: TreeKey | undefined,
): Promise<string | undefined> {
  const serial = readPointer(store, tree)?.serial
  const marker = serial === undefined ? undefined : readMarker(store, tree, serial)
  if (marker === undefined) return undefined
  const signed = marker.settings?.signed
  if (signing !== undefined && signed !== signing.fingerprint) {
    return `it was published ${signed === undefined ? 'without signatures' : `with signatures of ${signed}`}, and ${signing.fingerprint} is to sign it`
  }
  if (signed === undefined) return undefined
  return await outdatedSignatures(store, await readParts(store, readBuild(store, tree, marker.build)), marker, signing)
}

/** Undefined where nothing is published. */
export function publishedBuild(store: Store, tree: string): PublishedBuild | undefined {
  const pointer = readPointer(store, tree)
  const build = publishedNumber(store, tree)
  if (pointer === undefined || build === undefined) return undefined
  const marker = readMarker(store, tree, pointer.serial)
  const uri = marker?.uri
  const signed = marker?.settings?.signed
  return {
    build,
    serial: pointer.serial,
    since: new Date(pointer.since).toISOString(),
    ...(uri !== undefined && { uri }),
    ...(signed !== undefined && { signed }),
    generations: listGenerations(store, tree),
  }
}
