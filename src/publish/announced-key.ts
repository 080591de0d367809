import { readKeyring } from '../arch/read-keyring.js'
import { readRepoBuild } from '../arch/repo-build.js'
import { publishError, TreeswapError } from '../model/errors.js'
import { parseFileName } from '../model/pacman-package.js'
import { formatReference } from '../model/reference.js'
import type { Context } from '../model/report.js'
import type { Signer } from '../signing/signer.js'
import { readBuild } from '../store/builds.js'
import { readMarker } from '../store/generations.js'
import type { Store } from '../store/layout.js'
import { readState } from '../store/state.js'

/**
 * Keeps a pacman repo from being signed with a key that its clients cannot have: pacman refuses what an unknown key
 * signed, also where signatures are optional, and so the package that would bring the key. Clients have what the keyring
 * package of the published generation names; those of the first one get the key by hand.
 * @throws KEY_NOT_ANNOUNCED
 */
export async function requireAnnounced(
  store: Store,
  tree: string,
  { fingerprint, signingKey }: Pick<Signer, 'fingerprint' | 'signingKey'>,
  context: Context,
): Promise<void> {
  const { history, settings } = readState(store, tree)
  const last = history.at(-1)
  if (last === undefined || readMarker(store, tree, last.serial)?.signedBy === signingKey) return
  const parts = (await publishedKeyring(store, tree, last.build, context))?.get(fingerprint)
  if (parts?.has(signingKey)) return
  if (parts === undefined && settings?.signed === fingerprint) return
  const published = formatReference(tree, last.build)
  throw parts === undefined ? unknownKey(tree, published, fingerprint) : unknownSubkey(tree, published, signingKey)
}

/** What the keyring package of a build has clients trust; undefined where it has none, or it cannot be read. */
async function publishedKeyring(
  store: Store,
  tree: string,
  number: number,
  context: Context,
): Promise<ReadonlyMap<string, ReadonlySet<string>> | undefined> {
  try {
    const { packages } = await readRepoBuild(store, readBuild(store, tree, number))
    const keyring = packages.find(({ file }) => parseFileName(file)?.name === `${tree}-keyring`)
    return keyring && (await readKeyring(store.object(keyring.key), context))
  } catch (error) {
    if (!(error instanceof TreeswapError) || error.category === 'aborted') throw error
    context.report.warn(`which keys clients of ${tree} have is not known: ${error.message}`)
    return undefined
  }
}

function unknownKey(tree: string, published: string, fingerprint: string): Error {
  return publishError(
    'KEY_NOT_ANNOUNCED',
    `clients of ${tree} cannot know the key ${fingerprint}: the keyring package of ${published}, which is published, does not name it, and pacman refuses everything that an unknown key signed`,
    `leave pacman.${tree}.sign as it was and name the key in pacman.${tree}.trust, then \`treeswap run ${tree}\`; when clients have had time to install the new ${tree}-keyring, sign with it. ${insist(tree)}`,
  )
}

function unknownSubkey(tree: string, published: string, signingKey: string): Error {
  return publishError(
    'KEY_NOT_ANNOUNCED',
    `clients of ${tree} cannot know the subkey ${signingKey}: the keyring package of ${published}, which is published, has its key without it, and pacman refuses everything that an unknown subkey signed`,
    `leave it out of the secret key's file (gpg --export-secret-subkeys 'OLD!'), then \`treeswap run ${tree}\`; when clients have had time to install the new ${tree}-keyring, put it back. ${insist(tree)}`,
  )
}

function insist(tree: string): string {
  return `Where every client gets it by hand (\`treeswap config pacman ${tree}\`), \`treeswap publish ${tree} --new-key\` signs with it at once`
}
