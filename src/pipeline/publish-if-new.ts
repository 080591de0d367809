import type { Config } from '../config/config.js'
import type { Context } from '../model/report.js'
import type { TreeKey } from '../publish/options.js'
import { publish } from '../publish/publish.js'
import type { Store } from '../store/layout.js'
import { pull } from '../store/pull.js'
import { readState } from '../store/state.js'
import { openSource } from './sources.js'

export interface NewPublication {
  serial: number
  pulledBytes: number
}

/**
 * Pulls and publishes a build, unless it was published once: then an operator may have gone back from it.
 * @param signing key that signs the tree; undefined: none
 */
export async function publishIfNew(
  config: Config,
  store: Store,
  tree: string,
  number: number,
  signing: TreeKey | undefined,
  context: Context,
): Promise<NewPublication | undefined> {
  const { builder, publisher } = config
  if (readState(store, tree).history.some(({ build }) => build >= number)) return undefined
  const { fetchedBytes } = await pull(store, openSource(builder.artifacts), tree, number, context)
  const { serial } = await publish(store, tree, number, { ...publisher, signing }, context)
  return { serial, pulledBytes: fetchedBytes }
}
