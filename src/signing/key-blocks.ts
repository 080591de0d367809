import { openpgp } from './openpgp.js'
import type { Key, PrivateKey } from './openpgp.js'

/** The keys of a file: binary, or armored, in one block or several, as gpg imports them. @throws the library's errors */
export async function readKeysOf(bytes: Buffer): Promise<Key[]> {
  const { readKeys } = await openpgp()
  const blocks = armoredBlocks(bytes)
  if (blocks.length === 0) return await readKeys({ binaryKeys: bytes })
  return (await Promise.all(blocks.map((armoredKeys) => readKeys({ armoredKeys })))).flat()
}

/** The same of secret keys. */
export async function readPrivateKeysOf(bytes: Buffer): Promise<PrivateKey[]> {
  const { readPrivateKeys } = await openpgp()
  const blocks = armoredBlocks(bytes)
  if (blocks.length === 0) return await readPrivateKeys({ binaryKeys: bytes })
  return (await Promise.all(blocks.map((armoredKeys) => readPrivateKeys({ armoredKeys })))).flat()
}

const BEGIN = '-----BEGIN PGP'

/** The library reads no more than the first. */
function armoredBlocks(bytes: Buffer): string[] {
  if (!bytes.subarray(0, 4096).toString('latin1').includes(BEGIN)) return []
  return bytes
    .toString('latin1')
    .split(/^(?=-----BEGIN PGP)/m)
    .filter((block) => block.startsWith(BEGIN))
}
