import { publishError } from '../model/errors.js'
import { openpgp, settings } from './openpgp.js'

/**
 * Holds a detached signature against a public key as clients do.
 * @param publicKey binary
 * @param what for a message: the file that is signed
 * @throws SIGNATURE_BAD
 */
export async function verifyAsClient(
  publicKey: Uint8Array,
  signature: Uint8Array,
  content: Uint8Array,
  what: string,
): Promise<void> {
  const { createMessage, readKeys, readSignature, verify } = await openpgp()
  try {
    await verify({
      message: await createMessage({ binary: content }),
      signature: await readSignature({ binarySignature: signature }),
      verificationKeys: (await readKeys({ binaryKeys: publicKey })).map((key) => key.toPublic()),
      expectSigned: true,
      format: 'binary',
      config: await settings(),
    })
  } catch (error) {
    throw publishError(
      'SIGNATURE_BAD',
      `the signature of ${what} is not good: ${error instanceof Error ? error.message : String(error)}`,
      'run `treeswap check` and do as it says, then publish again: what is missing is made anew',
    )
  }
}
