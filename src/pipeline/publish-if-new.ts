import { openSource } from '../agent/sources.js'
import type { Config } from '../config/config.js'
import type { Context } from '../model/report.js'
import type { PublishOptions, TreeKey } from '../publish/options.js'
import { publish } from '../publish/publish.js'
import { outdatedPublished } from '../publish/status.js'
import type { Store } from '../store/layout.js'
import { pull } from '../store/pull.js'
import { publishedNumber } from '../store/references.js'
import { readState } from '../store/state.js'

export interface NewPublication {
  /** of the build: where what is published was signed anew, this need not be the latest */
  build: number
  serial: number
  pulledBytes: number
}

/**
 * Pulls and publishes a build, unless it was published once: then an operator may have gone back from it, and what is
 * published stays, but is signed anew where that is needed.
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
  const options = { ...publisher, signing }
  if (readState(store, tree).history.some(({ build }) => build >= number)) {
    return await signAnew(store, tree, options, context)
  }
  const { fetchedBytes } = await pull(store, openSource(builder.artifacts), tree, number, context)
  const { serial } = await publish(store, tree, number, options, context)
  return { build: number, serial, pulledBytes: fetchedBytes }
}

async function signAnew(
  store: Store,
  tree: string,
  options: PublishOptions,
  context: Context,
): Promise<NewPublication | undefined> {
  const build = publishedNumber(store, tree)
  if (build === undefined || options.signing === undefined) return undefined
  if ((await outdatedPublished(store, tree, options.signing)) === undefined) return undefined
  const { serial, already } = await publish(store, tree, build, options, context)
  return already ? undefined : { build, serial, pulledBytes: 0 }
}
