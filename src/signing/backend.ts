import type { Content } from './signer.js'
import type { SigningKey } from './signing-keys.js'

/** What makes signatures with a secret key. Whether they are good is looked at elsewhere. */
export interface Backend {
  by: SigningKey
  /** binary detached signature */
  detached(content: Content): Promise<Buffer>
  /** cleartext-signed, armored */
  clear(text: string): Promise<string>
}
