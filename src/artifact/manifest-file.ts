import type { Pack } from '../model/build.js'
import { infrastructureError } from '../model/errors.js'
import { decodeManifest, encodeManifest } from '../model/manifest.js'
import type { Manifest } from '../model/manifest.js'
import { readBytes } from '../system/files.js'
import { sha256 } from '../system/hash.js'
import { checkFile } from './damage.js'
import { HashedFile } from './hashed-file.js'
import { leaves, targetRule } from './path-rule.js'
import { defaultPolicy, policyOf } from './tar-policy.js'
import { compress, decompress } from './zstd.js'

/** Bytes of a manifest's text: 500,000 entries of 600 bytes. */
const MAX_TEXT = 300 * 2 ** 20

/**
 * @param file path of a manifest file
 * @throws PACK_DAMAGED when size or sha256 are not those of `pack.manifest`, MANIFEST_INVALID
 */
export async function readManifest(file: string, pack: Pack): Promise<Manifest> {
  return openManifest(readBytes(file), pack, file)
}

/**
 * @param bytes content of a manifest file
 * @param source named in errors
 * @throws what readManifest throws
 */
export async function openManifest(bytes: Buffer, pack: Pack, source: string): Promise<Manifest> {
  checkFile(source, pack.manifest, { size: bytes.length, sha256: sha256(bytes) })
  const chunks: Buffer[] = []
  let size = 0
  await decompress(
    bytes,
    (chunk) => {
      size += chunk.length
      if (size > MAX_TEXT) throw invalid(source, `it is larger than ${MAX_TEXT} bytes`)
      chunks.push(chunk)
    },
    new AbortController().signal,
  )
  const manifest = decodeManifest(Buffer.concat(chunks).toString('utf8'), source)
  checkTree(manifest, pack, source)
  return manifest
}

/** Writes a manifest file (zstd), which must not be there yet; what build.json says about it besides its name. */
export async function writeManifest(
  file: string,
  manifest: Manifest,
  signal: AbortSignal,
): Promise<{ size: number; sha256: string }> {
  const output = new HashedFile(file)
  try {
    await compress(encodeManifest(manifest), (chunk) => output.write(chunk), signal)
  } catch (error) {
    output.close()
    throw error
  }
  return output.close()
}

/** What the unpack policy asks of a tree, for entries that no archive of this build carries too. */
function checkTree({ entries }: Manifest, { role }: Pack, source: string): void {
  const { maxEntries, symlinks, linkMayLeave } = { ...defaultPolicy, ...policyOf(role) }
  if (entries.length > maxEntries) throw invalid(source, `it has more than ${maxEntries} entries`)
  const directories = new Set([''])
  for (const entry of entries) if (entry.type === 'directory') directories.add(entry.path)
  for (const entry of entries) {
    const { path } = entry
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    if (!directories.has(parent)) throw invalid(source, `the parent of ${path} is no directory of it`)
    if (entry.type !== 'symlink') continue
    if (!symlinks) throw invalid(source, `${path} is a symlink, where there may be files only`)
    const { target } = entry
    if (targetRule(target) !== undefined || (leaves(path, target) && !linkMayLeave(path, target))) {
      throw invalid(source, `its symlink ${path} may lead out of it`)
    }
  }
}

function invalid(source: string, why: string): Error {
  return infrastructureError(
    'MANIFEST_INVALID',
    `the manifest ${source} cannot be taken over: ${why}`,
    'see what wrote it: treeswap makes no such manifest',
  )
}
