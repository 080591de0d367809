import { infrastructureError } from '../model/errors.js'
import { now } from '../system/clock.js'
import { signedText } from './clear-text.js'
import { packetData } from './content-stream.js'
import { openpgp, settings } from './openpgp.js'
import type { Content } from './signer.js'
import type { SigningKey } from './signing-keys.js'

/**
 * Reads the content again and holds a fresh signature against the public key.
 * @param signature text: armored
 * @throws SIGNATURE_BAD
 */
export async function verifyDetached(by: SigningKey, signature: Buffer | string, content: Content): Promise<void> {
  const { readSignature } = await openpgp()
  const { packets } = await understood(by, () =>
    typeof signature === 'string'
      ? readSignature({ armoredSignature: signature })
      : readSignature({ binarySignature: signature }),
  )
  await verify(by, packets, 'binary', content)
}

/** @throws SIGNATURE_BAD, also where it is another text that was signed */
export async function verifyClear(by: SigningKey, signed: string, text: string): Promise<void> {
  const { readCleartextMessage, readSignature } = await openpgp()
  const message = await understood(by, () => readCleartextMessage({ cleartextMessage: signed }))
  const armor = signed.slice(signed.indexOf('-----BEGIN PGP SIGNATURE-----'))
  const { packets } = await understood(by, () => readSignature({ armoredSignature: armor }))
  if (message.getText() !== signedText(text)) throw bad(by, 'it is not the text that was to be signed')
  await verify(by, packets, 'text', () => Buffer.from(message.getText()))
}

interface VerifiablePacket {
  verify(
    key: SigningKey['packet'],
    type: number,
    data: object,
    date: Date,
    detached: boolean,
    config: Awaited<ReturnType<typeof settings>>,
  ): Promise<void>
}

async function verify(
  by: SigningKey,
  packets: readonly VerifiablePacket[],
  type: 'binary' | 'text',
  content: Content,
): Promise<void> {
  const { enums } = await openpgp()
  const [packet, ...others] = packets
  if (packet === undefined || others.length > 0) throw bad(by, 'it is not exactly one signature')
  const config = await settings()
  // a stream's own error is the content's, not the signature's
  let broken: { error: unknown } | undefined
  const watched: Content = () => {
    const bytes = content()
    return bytes instanceof Uint8Array ? bytes : noting(bytes, (error) => (broken = { error }))
  }
  try {
    await packet.verify(by.packet, enums.signature[type], packetData(watched), new Date(now()), true, config)
  } catch (error) {
    if (broken !== undefined) throw broken.error
    throw bad(by, error instanceof Error ? error.message : String(error))
  }
}

async function* noting(bytes: AsyncIterable<Uint8Array>, note: (error: unknown) => void): AsyncIterable<Uint8Array> {
  try {
    yield* bytes
  } catch (error) {
    note(error)
    throw error
  }
}

async function understood<T>(by: SigningKey, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch {
    throw bad(by, 'it cannot be read')
  }
}

function bad({ fingerprint }: SigningKey, why: string): Error {
  return infrastructureError(
    'SIGNATURE_BAD',
    `a signature that was just made with ${fingerprint} is not good: ${why}`,
    'the content changed meanwhile, or what signs is broken: run the command again',
  )
}
