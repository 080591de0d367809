import type { Config } from '../config/config.js'
import type { Context } from '../model/report.js'
import type { TreeKey } from '../publish/options.js'
import { openSigner } from '../signing/open-signer.js'
import type { Signer } from '../signing/signer.js'

/** The key that the configuration has sign a tree; undefined: none. */
export function signingOf(
  config: Pick<Config, 'pacman' | 'keys'> | undefined,
  tree: string,
  context: Context,
): TreeKey | undefined {
  const name = config?.pacman.get(tree)?.sign
  const key = name === undefined ? undefined : config?.keys.get(name)
  if (key === undefined) return undefined
  let opened: Promise<Signer> | undefined
  return { fingerprint: key.fingerprint, open: () => (opened ??= openSigner(key, context)) }
}
