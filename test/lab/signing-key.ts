import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generateKey, readKey } from 'openpgp'

export interface SigningKey {
  fingerprint: string
  /** files, armored */
  public: string
  secret: string
}

/** Makes a new OpenPGP key, without a passphrase, in two files NAME.asc and NAME.key. */
export async function makeSigningKey(directory: string, name: string): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKey({
    type: 'ecc',
    userIDs: [{ name: `Packages (${name})`, email: `${name}@example.org` }],
    // a moment ago: clocks of clients may differ
    date: new Date(Date.now() - 60_000),
  })
  const files = { public: join(directory, `${name}.asc`), secret: join(directory, `${name}.key`) }
  writeFileSync(files.public, publicKey)
  writeFileSync(files.secret, privateKey, { mode: 0o600 })
  const fingerprint = (await readKey({ armoredKey: publicKey })).getFingerprint().toUpperCase()
  return { fingerprint, ...files }
}
