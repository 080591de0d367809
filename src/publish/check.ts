import { join, relative } from 'node:path'
import { TreeswapError } from '../model/errors.js'
import { formatReference } from '../model/reference.js'
import type { Context } from '../model/report.js'
import { readBuild } from '../store/builds.js'
import { checkStore } from '../store/check-store.js'
import { foreign } from '../store/finding.js'
import type { Finding } from '../store/finding.js'
import { foreignPublished, listGenerations, publishedTrees, readMarker, readPointer } from '../store/generations.js'
import type { Marker } from '../store/generations.js'
import type { Store } from '../store/layout.js'
import { exists, isDirectory, linkTarget, readBytes, statusOf } from '../system/files.js'
import { sha256 } from '../system/hash.js'
import { findDamage } from './damage.js'
import { contentOf, readParts } from './generation-files.js'
import type { Parts } from './generation-files.js'
import type { TreeKey } from './options.js'
import { outdatedSignatures } from './outdated.js'

/**
 * Re-hashes every object, reads every record, compares every generation with its build, and what signed it with the
 * keys as they are now.
 * @param signingOf the key that the configuration has sign a tree; where it says nothing, the public key that was
 * published tells
 * @returns what is damaged, missing or foreign; nothing where all is well
 * @throws ABORTED
 */
export async function check(
  store: Store,
  context: Context,
  signingOf: (tree: string) => TreeKey | undefined = () => undefined,
): Promise<Finding[]> {
  let findings = await checkStore(store, context)
  findings = findings.concat(foreignPublished(store).map((path) => foreign(store, join(store.root, path))))
  for (const tree of publishedTrees(store)) {
    findings = findings.concat(checkPointer(store, tree))
    for (const serial of listGenerations(store, tree)) {
      const damage = await checkGeneration(store, tree, serial, signingOf(tree), context)
      // A publish may have removed it meanwhile.
      if (isDirectory(store.generation(tree, serial))) findings = findings.concat(damage)
    }
  }
  return findings
}

async function checkGeneration(
  store: Store,
  tree: string,
  serial: number,
  signing: TreeKey | undefined,
  context: Context,
): Promise<Finding[]> {
  const top = relative(store.root, store.generation(tree, serial))
  const published = readPointer(store, tree)?.serial === serial
  const marker = readMarker(store, tree, serial)
  const hint = published
    ? `\`treeswap publish ${tree}@published\` makes a sound generation`
    : 'clients no longer get there; it is removed when its grace time is over'
  if (marker === undefined) return [{ kind: 'damaged', path: top, builds: [], hint }]
  context.report.step(`comparing generation ${serial} of ${tree}`)
  const reference = formatReference(tree, marker.build)
  try {
    const parts = await readParts(store, readBuild(store, tree, marker.build))
    const content = contentOf(store, parts, { signed: marker.settings?.signed, kept: marker.kept })
    const damage = await findDamage(store, marker, content, context)
    const findings = damage
      .filter((one) => published || !(one.kind === 'damaged' && isEarlierSignature(store, join(top, one.path))))
      .map(({ kind, path }): Finding => ({ kind, path: join(top, path), builds: [reference], hint }))
    if (!published || findings.length > 0) return findings
    return findings.concat(await checkSignatures(store, parts, marker, signing, { top, reference, hint }))
  } catch (error) {
    if (!(error instanceof TreeswapError) || error.category === 'aborted') throw error
    const what = published ? error.hint : hint
    return [{ kind: 'damaged', path: top, builds: [reference], hint: `${error.message}: ${what}` }]
  }
}

/** Made before the key got another subkey; whether the object is sound is another question. */
function isEarlierSignature(store: Store, path: string): boolean {
  if (!path.endsWith('.sig')) return false
  const file = statusOf(join(store.root, path))
  const object = file && statusOf(store.object(sha256(readBytes(join(store.root, path)))))
  return object !== undefined && object.ino === file?.ino
}

async function checkSignatures(
  store: Store,
  parts: Parts,
  marker: Marker,
  signing: TreeKey | undefined,
  { top, reference, hint }: { top: string; reference: string; hint: string },
): Promise<Finding[]> {
  const why = await outdatedSignatures(store, parts, marker, signing)
  return why === undefined ? [] : [{ kind: 'outdated', path: top, builds: [reference], hint: `${why}: ${hint}` }]
}

/** The one link has to lead to a generation that is there. */
function checkPointer(store: Store, tree: string): Finding[] {
  const pointer = readPointer(store, tree)
  if (pointer === undefined || exists(store.generation(tree, pointer.serial))) return []
  if (readPointer(store, tree)?.serial !== pointer.serial) return checkPointer(store, tree)
  return [
    {
      kind: 'missing',
      path: join('published', linkTarget(store.pointer(tree)) ?? tree),
      builds: [],
      hint: `clients get nothing: \`treeswap publish ${tree}@latest\` (or the build it should be) mends it`,
    },
  ]
}
