import { join } from 'node:path'
import { packagesPack } from '../model/build.js'
import { TreeswapError } from '../model/errors.js'
import { objectKey } from '../model/object-key.js'
import type { ObjectKey } from '../model/object-key.js'
import { acceptedKeys } from '../signing/accepted-keys.js'
import type { AcceptedKeys } from '../signing/accepted-keys.js'
import { findDerived } from '../store/derived.js'
import type { Marker } from '../store/generations.js'
import type { Store } from '../store/layout.js'
import { sha256 } from '../system/hash.js'
import type { Parts } from './generation-files.js'
import type { TreeKey } from './options.js'

export interface Outdated {
  why: string
  /** keys and subkeys whose signatures are still good, and which a signer should replace that lasts longer; else absent */
  outlived?: string[]
}

/**
 * Why the signatures of a generation are not what its key would make of it now: a subkey expired or was revoked, or soon
 * will be while another one lasts longer, or the public key that new clients get beside it is not the one of today.
 * @param keys the key that signed it, as it is now
 * @returns undefined where nothing is to be done
 */
export function outdatedBy(store: Store, parts: Parts, marker: Marker, keys: AcceptedKeys): Outdated | undefined {
  const signers = signersOf(store, parts, marker)
  const refused = signers.find((by) => !keys.accepts(by))
  if (refused !== undefined) return { why: `clients no longer accept what ${refused} has signed` }
  const served = servedKey(marker)
  if (served !== undefined && marker.index[served] !== sha256(keys.publicKey)) {
    return { why: `the public key ${served} that new clients get is an older one` }
  }
  const outlived = signers.filter((by) => keys.outlived(by) !== undefined)
  const [first] = outlived
  return first === undefined ? undefined : { why: `it was signed by ${keys.outlived(first) ?? first}`, outlived }
}

/**
 * The same where it is not known that the key can be used.
 * @param signing the key that the configuration has; where it says nothing, the public key that was published tells
 */
export async function outdatedSignatures(
  store: Store,
  parts: Parts,
  marker: Marker,
  signing: TreeKey | undefined,
): Promise<string | undefined> {
  const { tree: name, serial, settings } = marker
  const [fingerprint, served] = [settings?.signed, servedKey(marker)]
  if (fingerprint === undefined || served === undefined) return undefined
  const publicFile = join(store.generation(name, serial), served)
  const configured = signing?.fingerprint === fingerprint ? signing : undefined
  try {
    const keys = await (configured?.accepted?.() ?? acceptedKeys({ name, fingerprint, publicFile }))
    return outdatedBy(store, parts, marker, keys)?.why
  } catch (error) {
    if (!(error instanceof TreeswapError) || error.category === 'aborted') throw error
    return error.message
  }
}

/** The public key beside the databases, where there is one. */
function servedKey({ tree, index }: Marker): string | undefined {
  return Object.keys(index).find((path) => path.endsWith(`/${tree}.gpg`))
}

/** Fingerprints of the keys and subkeys that signed a generation's indexes and packages. */
function signersOf(store: Store, parts: Parts, { settings, signedBy }: Marker): string[] {
  const signed = settings?.signed
  if (signed === undefined) return []
  const found = new Set(signedBy === undefined ? [] : [signedBy])
  const kind = parts.kind === 'machine' ? 'gpkg' : 'sig'
  for (const key of packageKeys(parts)) {
    const by = findDerived(store, signed, key, kind)?.by
    if (by !== undefined) found.add(by)
  }
  return [...found]
}

function packageKeys(parts: Parts): ObjectKey[] {
  if (parts.kind === 'pacman-repo') return parts.packages.map(({ key }) => key)
  const { build, manifests } = parts
  const entries = manifests.get(packagesPack(build)?.name ?? '')?.entries ?? []
  return entries.flatMap((entry) => (entry.type === 'file' ? [objectKey(entry.sha256, entry.executable)] : []))
}
