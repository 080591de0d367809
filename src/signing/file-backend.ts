import type { KeyConfig } from '../config/keys.js'
import { configurationError } from '../model/errors.js'
import type { Backend } from './backend.js'
import { clearSigned, signedText } from './clear-text.js'
import { packetData } from './content-stream.js'
import { armored, openpgp, settings } from './openpgp.js'
import type { SecretPacket } from './openpgp.js'
import type { SecretFile } from './secret-file.js'
import type { Content } from './signer.js'
import { revoked } from './signing-keys.js'
import type { SigningKey } from './signing-keys.js'

/**
 * Signs with the secret key of a file.
 * @param usable those that clients accept, the best first
 * @throws KEY_REVOKED, KEY_CANNOT_SIGN, PASSPHRASE_MISSING, PASSPHRASE_WRONG
 */
export async function fileBackend(
  config: KeyConfig,
  { path, key, passphrase }: SecretFile,
  usable: readonly SigningKey[],
): Promise<Backend> {
  if (await key.isRevoked()) throw revoked(config)
  const secrets = [key, ...key.subkeys].map((one) => one.keyPacket as SecretPacket)
  const pair = usable
    .map((by) => ({ by, secret: secrets.find((secret) => isSecretOf(secret, by)) }))
    .find(({ secret }) => secret !== undefined)
  if (pair?.secret === undefined) throw noneOf(config, path)
  const { by, secret } = pair
  await unlock(secret, path, passphrase)
  return {
    by,
    detached: (content) => sign(secret, by, 'binary', content),
    async clear(text) {
      const lines = signedText(text)
      return clearSigned(lines, await armored(await sign(secret, by, 'text', () => Buffer.from(lines))))
    },
  }
}

function isSecretOf(secret: SecretPacket, { fingerprint }: SigningKey): boolean {
  return !secret.isMissingSecretKeyMaterial() && secret.getFingerprint().toUpperCase() === fingerprint
}

async function unlock(secret: SecretPacket, path: string, passphrase: string | undefined): Promise<void> {
  if (secret.isDecrypted()) return
  if (passphrase === undefined) {
    throw configurationError(
      'PASSPHRASE_MISSING',
      `the secret key in ${path} is locked by a passphrase`,
      'name the file that holds it (passphrase-file), or set TREESWAP_SIGNING_PASSPHRASE',
    )
  }
  try {
    await secret.decrypt(passphrase)
    await secret.validate()
  } catch {
    throw configurationError(
      'PASSPHRASE_WRONG',
      `the passphrase does not open the secret key in ${path}`,
      'see TREESWAP_SIGNING_PASSPHRASE, then passphrase-file: the first one that is there is used',
    )
  }
}

/** What the library does beyond its declarations: content as a stream, and settings. */
interface StreamSigner {
  sign(
    key: SecretPacket,
    data: ReturnType<typeof packetData>,
    date: Date,
    detached: boolean,
    config: Awaited<ReturnType<typeof settings>>,
  ): Promise<void>
}

/** openpgp.sign() keeps all of a stream in memory; the packet that it makes does not. */
async function sign(secret: SecretPacket, by: SigningKey, type: 'binary' | 'text', content: Content): Promise<Buffer> {
  const { SignaturePacket, PacketList, enums } = await openpgp()
  const packet = new SignaturePacket()
  packet.signatureType = enums.signature[type]
  packet.publicKeyAlgorithm = secret.algorithm
  packet.hashAlgorithm = enums.hash.sha512
  await (packet as unknown as StreamSigner).sign(secret, packetData(content), by.since, true, await settings())
  const list = new PacketList<typeof packet>()
  list.push(packet)
  return await toBuffer(list.write())
}

/** The library gives a stream where it got one. */
async function toBuffer(written: Uint8Array | AsyncIterable<Uint8Array>): Promise<Buffer> {
  if (written instanceof Uint8Array) return Buffer.from(written)
  const chunks: Uint8Array[] = []
  for await (const chunk of written) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function noneOf({ name, publicFile }: KeyConfig, path: string): Error {
  return configurationError(
    'KEY_CANNOT_SIGN',
    `${path} has no secret of what may sign in ${publicFile}`,
    `export the key ${name} anew, public and secret: a subkey may have been added, or left out`,
  )
}
