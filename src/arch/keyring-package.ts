import type { KeyConfig } from '../config/keys.js'

export interface KeyringPackage {
  /** NAME-keyring-VERSION-1-any.pkg.tar.zst */
  fileName: string
  /** with pkgrel: VERSION-1 */
  version: string
  bytes: Buffer
}

/**
 * The package that tells pacman which keys sign a repo. Equal keys give equal bytes; changed ones a higher version.
 * @param name of the repo
 * @param keys those that clients trust
 * @param revoked those that they no longer trust
 * @throws KEY_UNREADABLE, KEY_INVALID, KEY_DIFFERENT
 */
export function keyringPackage(
  name: string,
  keys: readonly KeyConfig[],
  revoked: readonly KeyConfig[],
  packager: string,
): Promise<KeyringPackage> {
  return Promise.reject(new Error(`not written yet ${name} ${keys.length} ${revoked.length} ${packager}`))
}
