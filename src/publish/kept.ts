import { TreeswapError } from '../model/errors.js'
import type { FileMap } from '../model/file-map.js'
import type { Context } from '../model/report.js'
import { readBuild } from '../store/builds.js'
import { listGenerations, readMarker, readPointer } from '../store/generations.js'
import type { Kept } from '../store/generations.js'
import type { Store } from '../store/layout.js'
import type { TreeState } from '../store/state.js'
import { exists } from '../system/files.js'
import { contentOf, readParts } from './generation-files.js'
import type { Parts } from './generation-files.js'

/**
 * The packages, and their signatures, that clients may still ask for because an index they have names them: those of
 * the generation that is to be replaced, and of any that a power cut took back, as far as the next one lacks them; until
 * the grace time is over that began when no index named them any more.
 * @param content of the next generation
 * @param now seconds since 1970
 */
export async function keptFiles(
  store: Store,
  parts: Parts,
  content: FileMap,
  state: TreeState,
  { graceSeconds, now }: { graceSeconds: number; now: number },
  context: Context,
): Promise<Kept> {
  if (parts.kind !== 'pacman-repo') return {}
  const kept: Kept = {}
  const { tree } = state
  const pointer = readPointer(store, tree)?.serial ?? 0
  for (const serial of new Set([...(pointer > 0 ? [pointer] : []), ...listGenerations(store, tree)])) {
    if (serial < pointer) continue
    for (const [path, file] of Object.entries(await filesOf(store, state, serial, now, context))) {
      const isOver = now - file.since >= graceSeconds
      if (isOver || content.has(path) || isSignatureIn(content, path) || (kept[path]?.since ?? 0) > file.since) continue
      if (exists(store.object(file.key))) kept[path] = file
    }
  }
  return kept
}

/** Whether it signs what the next generation has: where that is unsigned, clients would ask for its key. */
function isSignatureIn(content: FileMap, path: string): boolean {
  return path.endsWith('.sig') && content.has(path.slice(0, -4))
}

/** All package files of a generation, as if the next one had none of them. */
async function filesOf(
  store: Store,
  state: TreeState,
  serial: number,
  now: number,
  { report }: Context,
): Promise<Kept> {
  const marker = readMarker(store, state.tree, serial)
  const number = marker?.build ?? state.history.find((entry) => entry.serial === serial)?.build
  // a clock that was ahead for a while must not keep them for as long
  const files: Kept = Object.fromEntries(
    Object.entries(marker?.kept ?? {}).map(([path, file]) => [path, { ...file, since: Math.min(file.since, now) }]),
  )
  if (number === undefined) return files
  try {
    const parts = await readParts(store, readBuild(store, state.tree, number))
    if (parts.kind !== 'pacman-repo') return files
    const add = (content: FileMap): void => {
      for (const [path, source] of content) {
        if (source.kind === 'object') files[path] = { key: source.key, size: source.size, since: now }
      }
    }
    add(contentOf(store, parts))
    const signed = marker?.settings?.signed
    if (signed !== undefined) add(contentOf(store, parts, { signed }))
  } catch (error) {
    if (!(error instanceof TreeswapError)) throw error
    report.warn(
      `clients that have just read the index of generation ${serial} may miss packages that it names: ${error.message}`,
    )
  }
  return files
}
