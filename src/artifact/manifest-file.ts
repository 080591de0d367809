import type { Pack } from '../model/build.js'
import { encodeManifest, invalidManifest, ManifestDecoder } from '../model/manifest.js'
import type { Manifest } from '../model/manifest.js'
import { leaves } from '../model/path-rule.js'
import { readBytes, statusOf } from '../system/files.js'
import { sha256 } from '../system/hash.js'
import { checkFile, damaged } from './damage.js'
import { HashedFile } from './hashed-file.js'
import { defaultPolicy, policyOf } from './tar-policy.js'
import type { Policy } from './tar-policy.js'
import { compress, decompress, isBroken } from './zstd.js'

/** Bytes of a manifest's text: 500,000 entries of 600 bytes. */
const MAX_TEXT = 300 * 2 ** 20

/**
 * @param file path of a manifest file
 * @throws PACK_DAMAGED when size or sha256 are not those of `pack.manifest`, MANIFEST_INVALID, ABORTED
 */
export async function readManifest(file: string, pack: Pack, signal?: AbortSignal): Promise<Manifest> {
  const found = statusOf(file)?.size ?? 0
  if (found > pack.manifest.size) throw damaged(file, `it has ${found} bytes instead of ${pack.manifest.size}`)
  return openManifest(readBytes(file), pack, file, signal)
}

/**
 * @param bytes content of a manifest file
 * @param source named in errors
 * @throws what readManifest throws
 */
export async function openManifest(
  bytes: Buffer,
  pack: Pack,
  source: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<Manifest> {
  checkFile(source, pack.manifest, { size: bytes.length, sha256: sha256(bytes) })
  const policy = { ...defaultPolicy, ...policyOf(pack.role) }
  const decoder = new ManifestDecoder(source, policy.maxEntries)
  let size = 0
  const take = (chunk: Buffer): void => {
    size += chunk.length
    if (size > MAX_TEXT) throw invalidManifest(source, `it is larger than ${MAX_TEXT} bytes`)
    decoder.push(chunk)
  }
  try {
    await decompress(bytes, take, signal)
  } catch (error) {
    throw isBroken(error) ? invalidManifest(source, error.message, error) : error
  }
  const manifest = decoder.end()
  checkTree(manifest, policy, source)
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
function checkTree({ entries }: Manifest, { symlinks, linkMayLeave }: Policy, source: string): void {
  const directories = new Set([''])
  for (const entry of entries) if (entry.type === 'directory') directories.add(entry.path)
  for (const entry of entries) {
    const { path } = entry
    const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    if (!directories.has(parent)) throw invalidManifest(source, `the parent of ${path} is no directory of it`)
    if (entry.type !== 'symlink') continue
    if (!symlinks) throw invalidManifest(source, `${path} is a symlink, where there may be files only`)
    const { target } = entry
    if (leaves(path, target) && !linkMayLeave(path, target)) {
      throw invalidManifest(source, `its symlink ${path} may lead out of it`)
    }
  }
}
