import type { Config } from '../config/config.js'
import type { Context } from '../model/report.js'
import type { TreeKey } from '../publish/options.js'
import { acceptedKeys } from '../signing/accepted-keys.js'
import { openSigner } from '../signing/open-signer.js'
import type { Signer } from '../signing/signer.js'

/** The key that the configuration has sign a tree; undefined: none. */
export function signingOf(
  config: Pick<Config, 'pacman' | 'machines' | 'keys'> | undefined,
  tree: string,
  context: Context,
): TreeKey | undefined {
  const name = config?.pacman.get(tree)?.sign ?? config?.machines.get(tree)?.sign
  const key = name === undefined ? undefined : config?.keys.get(name)
  if (key === undefined) return undefined
  let opened: Promise<Signer> | undefined
  return {
    fingerprint: key.fingerprint,
    open: () => (opened ??= openSigner(key, context)),
    accepted: () => acceptedKeys(key),
  }
}

/**
 * The same, opened: what keeps it from signing is better known before anything is built.
 * @throws what openSigner throws
 */
export async function openSigning(
  config: Pick<Config, 'pacman' | 'machines' | 'keys'>,
  tree: string,
  context: Context,
): Promise<TreeKey | undefined> {
  const signing = signingOf(config, tree, context)
  await signing?.open()
  return signing
}
