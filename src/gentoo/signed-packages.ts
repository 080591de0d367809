import { join } from 'node:path'
import { publishError } from '../model/errors.js'
import { sha256Of } from '../model/object-key.js'
import type { ObjectKey } from '../model/object-key.js'
import type { Context } from '../model/report.js'
import type { Signer } from '../signing/signer.js'
import { findDerived, placeDerived } from '../store/derived.js'
import type { Derived, MadeFile } from '../store/derived.js'
import type { Store } from '../store/layout.js'
import { explainDiskError, makeDirectory, removeTree, statusOf } from '../system/files.js'
import { sha256OfFile } from '../system/hash.js'
import { aborted } from '../system/process.js'
import { signGpkg } from './sign-gpkg.js'

/** So many packages are taken into the store at a time; what a stop loses is what has not been. */
const BATCH = 100

/** A binary package of a build. */
export interface BinaryPackage {
  /** relative to the index */
  path: string
  key: ObjectKey
}

/**
 * Signed copies of binary packages, made where the store has none that lasts; durable when it returns.
 * @param tree its lock is held
 * @param source what is being published, for errors
 * @throws XPAK_UNSIGNABLE, GPKG_INVALID, OBJECT_DAMAGED, LOCKED, DISK, ABORTED, and what the signer throws
 */
export async function ensureSignedPackages(
  store: Store,
  signer: Signer,
  packages: readonly BinaryPackage[],
  { tree, source }: { tree: string; source: string },
  context: Context,
): Promise<void> {
  const { fingerprint, signingKey: by } = signer
  const unsignable = packages.find(({ path }) => !isGpkg(path))
  if (unsignable !== undefined) throw noGpkg(unsignable.path, source)
  const missing = new Map<ObjectKey, string>()
  for (const { path, key } of packages) {
    const derived = findSignedPackage(store, fingerprint, key)
    if (derived === undefined || !signer.lasts(derived.by)) missing.set(key, path)
  }
  if (missing.size === 0) return
  context.report.step(`signing with ${fingerprint}`)
  // a name that no tree has
  const work = store.incoming(`.signed.${tree}`)
  let made = new Map<ObjectKey, MadeFile>()
  const place = async (): Promise<void> => {
    await placeDerived(store, { fingerprint, by, kind: 'gpkg' }, made, context)
    made = new Map()
  }
  try {
    removeTree(work)
    makeDirectory(work)
    let done = 0
    for (const [key, path] of missing) {
      context.report.progress(done++, missing.size)
      if (context.signal.aborted) throw aborted('signing')
      made.set(key, await signOne(store, signer, { path, key }, join(work, sha256Of(key)), source, context))
      if (made.size === BATCH) await place()
    }
    await place()
  } catch (error) {
    throw explainDiskError(error, store.root)
  } finally {
    removeTree(work)
  }
}

/** The signed copy that the store has of a package; undefined where there is none, or its mapping leads nowhere. */
export function findSignedPackage(
  store: Store,
  fingerprint: string,
  key: ObjectKey,
): (Derived & Required<Pick<Derived, 'sums'>>) | undefined {
  const derived = findDerived(store, fingerprint, key, 'gpkg')
  return derived?.sums === undefined ? undefined : { ...derived, sums: derived.sums }
}

async function signOne(
  store: Store,
  signer: Signer,
  { path, key }: BinaryPackage,
  to: string,
  source: string,
  { signal }: Context,
): Promise<MadeFile> {
  const object = store.object(key)
  if (!statusOf(object)?.isFile() || (await sha256OfFile(object)) !== sha256Of(key)) throw damaged(object, path, source)
  const refuse = (why: string): Error => invalid(path, source, why)
  return await signGpkg({ path: object, refuse, signal }, to, signer)
}

function isGpkg(path: string): boolean {
  return path.endsWith('.gpkg.tar')
}

function noGpkg(path: string, source: string): Error {
  return publishError(
    'XPAK_UNSIGNABLE',
    `${path} of ${source} is in Portage's old format (XPAK), which has no signatures`,
    "set BINPKG_FORMAT=gpkg in the make.conf of the machine's profile (Portage's default), move the machine's directory below packages/ of the builder away, and build with `treeswap build --full`, as docs/gentoo-signing.md shows; clients are served what they were",
  )
}

function invalid(path: string, source: string, why: string): Error {
  return publishError(
    'GPKG_INVALID',
    `${path} of ${source} is no sound binary package, so it is not signed: ${why}`,
    'remove it on the builder and build again; clients are served what they were',
  )
}

function damaged(object: string, path: string, source: string): Error {
  return publishError(
    'OBJECT_DAMAGED',
    `${object} (${path} of ${source}) is not what it was when it was pulled, so it is not signed`,
    'run `treeswap check` and do as it says',
  )
}
