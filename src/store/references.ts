import { publishError } from '../model/errors.js'
import { didYouMean } from '../model/names.js'
import type { Reference, Selector } from '../model/reference.js'
import { listBuilds, listTrees, unknownBuild } from './builds.js'
import { readMarker, readPointer } from './generations.js'
import type { Store } from './layout.js'
import { readState } from './state.js'

/**
 * The number of the build that is meant.
 * @param fallback what a reference without `@…` means
 * @throws TREE_UNKNOWN, BUILD_UNKNOWN, TAG_UNKNOWN, NOT_PUBLISHED, NO_PREVIOUS
 */
export function resolveReference(store: Store, { tree, build }: Reference, fallback: Selector): number {
  const builds = listBuilds(store, tree)
  if (builds.length === 0) throw unknownTree(store, tree)
  const number = select(store, tree, build ?? fallback)
  if (!builds.includes(number)) throw unknownBuild(store, tree, number)
  return number
}

/** The build that clients are served now; undefined before the first publish. */
export function publishedNumber(store: Store, tree: string): number | undefined {
  const pointer = readPointer(store, tree)
  if (pointer === undefined) return undefined
  return (
    readMarker(store, tree, pointer.serial)?.build ??
    readState(store, tree).history.find(({ serial }) => serial === pointer.serial)?.build
  )
}

function select(store: Store, tree: string, selector: Selector): number {
  switch (selector.kind) {
    case 'number':
      return selector.number
    case 'latest':
      return listBuilds(store, tree).at(-1) ?? 0
    case 'published':
      return published(store, tree)
    case 'previous':
      return previous(store, tree)
    case 'tag':
      return tagged(store, tree, selector.tag)
  }
}

function published(store: Store, tree: string): number {
  const number = publishedNumber(store, tree)
  if (number !== undefined) return number
  throw publishError(
    'NOT_PUBLISHED',
    `nothing of ${tree} is published`,
    `\`treeswap publish ${tree}\` publishes the latest of ${listBuilds(store, tree).join(', ')}`,
  )
}

function previous(store: Store, tree: string): number {
  const current = published(store, tree)
  const before = readState(store, tree).history.findLast(({ build }) => build !== current)
  if (before !== undefined) return before.build
  throw publishError(
    'NO_PREVIOUS',
    `${tree}@${current} is the only build of ${tree} that was ever published`,
    `name the build to go to: the store has ${listBuilds(store, tree).join(', ')}`,
  )
}

function tagged(store: Store, tree: string, tag: string): number {
  const { tags } = readState(store, tree)
  const number = Object.hasOwn(tags, tag) ? tags[tag] : undefined
  if (number !== undefined) return number
  const known = Object.keys(tags)
  throw publishError(
    'TAG_UNKNOWN',
    `${tree} has no build tagged ${tag}`,
    didYouMean(tag, known) || (known.length > 0 ? `its tags are ${known.join(', ')}` : 'no build of it has a tag'),
  )
}

function unknownTree(store: Store, tree: string): Error {
  const known = listTrees(store)
  return publishError(
    'TREE_UNKNOWN',
    `the store has no build of ${tree}`,
    didYouMean(tree, known) ||
      (known.length > 0
        ? `it has builds of ${known.join(', ')}`
        : `it is empty: publish a build first, or bring one: \`treeswap pull ${tree}@N --from dir:PATH\``),
  )
}
