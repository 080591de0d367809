/** Content to be signed; called anew for every reading, since a signature is verified after it was made. */
export type Content = () => AsyncIterable<Uint8Array> | Buffer

/** A key that signs, and what clients know of it. */
export interface Signer {
  /** of the primary key: 40 upper-case hexadecimal digits */
  readonly fingerprint: string
  /** when clients stop accepting its signatures; undefined: never */
  readonly expires: Date | undefined
  /** binary */
  readonly publicKey: Uint8Array
  /** fingerprint of the key or subkey that signs */
  readonly signingKey: string
  /**
   * Whether what a key or subkey of this key signed need not be signed anew: clients accept it, and will do so for the
   * next 30 days or as long as what is signed now
   */
  lasts(fingerprint: string): boolean
  /**
   * Binary detached signature, verified. Equal content gives equal bytes.
   * @throws SIGNING_FAILED, SIGNATURE_BAD, ABORTED, and what reading the content throws
   */
  detached(content: Content): Promise<Buffer>
  /**
   * Signs text in the clear, with its lines as they are; armored, verified.
   * @throws as detached
   */
  clear(text: string): Promise<string>
  /** Holds what was written against the public key. */
  verify: {
    /** @param signature armored. @throws SIGNATURE_BAD, and what reading the content throws */
    detached(signature: string, content: Content): Promise<void>
    /** @throws SIGNATURE_BAD, also where it is another text that was signed */
    clear(signed: string, text: string): Promise<void>
  }
}
