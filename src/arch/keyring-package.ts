import { TarBlocks, tarEnd } from '../artifact/tar-blocks.js'
import type { KeyConfig } from '../config/keys.js'
import { packageFileName } from '../model/pacman-package.js'
import { compareVersions } from '../model/pacman-version.js'
import { publicKeys } from '../signing/public-keys.js'
import { sha256 } from '../system/hash.js'
import { bumpRelease } from './pkgrel.js'
import { storedZstd } from './stored-zstd.js'

export interface KeyringPackage {
  /** NAME-keyring */
  name: string
  /** with pkgrel */
  version: string
  fileName: string
  bytes: Buffer
  /** sha256 of what it says, whatever its version */
  fingerprint: string
}

/** To be raised when anything else in the package changes: its file name stands for its bytes. */
const PKGREL = 1

/** Where pacman-key of Arch looks for keyrings. */
const DIRECTORIES = ['usr', 'usr/share', 'usr/share/pacman', 'usr/share/pacman/keyrings']

/** What the package with the keys of a repo is called. */
export function keyringName(repo: string): string {
  return `${repo}-keyring`
}

/**
 * The package that tells pacman which keys sign a repo (pacman-key(8), "Using pacman-key for keyring packages"). Equal
 * keys give equal bytes, and what is added to keys or moved from the trusted to the revoked ones a higher version.
 * @param name of the repo
 * @param keys those that clients are to trust
 * @param revoked those that they no longer trust
 * @param above version of a keyring that says something else, which this one's has to exceed: no time tells that a key
 * was taken away
 * @throws KEY_UNREADABLE, KEY_INVALID, KEY_DIFFERENT, KEY_REVOKED where one that is to be trusted is
 */
export async function keyringPackage(
  name: string,
  keys: readonly KeyConfig[],
  revoked: readonly KeyConfig[],
  packager: string,
  above?: string,
): Promise<KeyringPackage> {
  const { text, changed, packets } = await publicKeys(keys, revoked)
  const lines = (some: readonly KeyConfig[], end: string): string =>
    some
      .map(({ fingerprint }) => `${fingerprint}${end}\n`)
      .sort()
      .join('')
  const files = { '.gpg': text, '-revoked': lines(revoked, ''), '-trusted': lines(keys, ':4:') }
  const version = exceeding(`${pkgver(changed, packets + revoked.length)}-${PKGREL}`, above)
  const info = { name: keyringName(name), version, architecture: 'any' }
  const pkginfo = [
    `pkgname = ${info.name}`,
    `pkgbase = ${info.name}`,
    `pkgver = ${version}`,
    `pkgdesc = Keys that sign the packages of ${name}`,
    `builddate = ${changed.getTime() / 1000}`,
    `packager = ${packager}`,
    `size = ${Object.values(files).reduce((sum, content) => sum + Buffer.byteLength(content), 0)}`,
    `arch = ${info.architecture}`,
  ]
  const tar = new TarBlocks()
  tar.file('.PKGINFO', pkginfo.map((line) => `${line}\n`).join(''))
  tar.file('.INSTALL', install(name))
  for (const directory of DIRECTORIES) tar.directory(directory)
  for (const [end, content] of Object.entries(files)) tar.file(`${DIRECTORIES.at(-1) ?? ''}/${name}${end}`, content)
  const bytes = storedZstd(Buffer.concat([tar.bytes, tarEnd(tar.bytes.length)]))
  const fingerprint = sha256(JSON.stringify([PKGREL, packager, files]))
  return { name: info.name, version, fileName: packageFileName(info), bytes, fingerprint }
}

function exceeding(version: string, above: string | undefined): string {
  if (above === undefined || compareVersions(version, above) > 0) return version
  const dash = above.lastIndexOf('-')
  return `${above.slice(0, dash)}-${bumpRelease(above.slice(dash + 1))}`
}

/** Rises with the time of the newest change, and within the same second with what there is. */
function pkgver(changed: Date, count: number): string {
  const [date = '', time = ''] = changed
    .toISOString()
    .replace(/[-:]|\..*/g, '')
    .split('T')
  return `${date}.${time}.${count}`
}

/** Run by pacman in the client's root. A client without a keyring of its own gets these keys when it makes one. */
function install(name: string): string {
  return `post_install() {
  if [ -x usr/bin/pacman-key ] && usr/bin/pacman-key --list-keys >/dev/null 2>&1; then
    usr/bin/pacman-key --populate ${name}
  fi
}

post_upgrade() {
  post_install
}
`
}
