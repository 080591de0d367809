import { readRepoBuild } from '../arch/repo-build.js'
import type { Config } from '../config/config.js'
import { TreeswapError } from '../model/errors.js'
import { formatReference } from '../model/reference.js'
import type { Context } from '../model/report.js'
import { isNewKeyring, keyringOf } from '../recipes/repo-keyring.js'
import { readBuild } from '../store/builds.js'
import type { Store } from '../store/layout.js'

/**
 * Says where the keyring package of a build that was published is not of the keys that the configuration has: it is a
 * package of the build, and so whoever publishes to announce or to revoke a key has done nothing yet.
 * @param config undefined: none was read
 */
export async function warnOfKeyring(
  config: Config | undefined,
  store: Store,
  tree: string,
  number: number,
  { report }: Context,
): Promise<void> {
  const repo = config?.pacman.get(tree)
  if (config === undefined || repo === undefined) return
  const reference = formatReference(tree, number)
  try {
    const { recipes } = await readRepoBuild(store, readBuild(store, tree, number))
    const keyring = await keyringOf(config, repo)(recipes)
    if (!isNewKeyring(keyring, recipes)) return
    report.warn(
      `${reference} tells clients of other keys than the configuration has: ${keyring?.name ?? ''} is made by \`treeswap run ${tree}\` alone, not by a publish`,
    )
  } catch (error) {
    if (!(error instanceof TreeswapError) || error.category === 'aborted') throw error
    report.warn(
      `whether ${reference} tells clients of the keys that the configuration has is not known: ${error.message}`,
    )
  }
}
