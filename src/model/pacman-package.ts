/** What .PKGINFO says (PKGBUILD(5), makepkg's write_pkginfo); `version` is [epoch:]pkgver-pkgrel. */
export interface PackageInfo {
  name: string
  base: string
  version: string
  description?: string
  url?: string
  architecture: string
  packager?: string
  /** seconds since 1970 */
  buildDate: number
  /** bytes */
  installedSize: number
  groups: string[]
  licenses: string[]
  replaces: string[]
  conflicts: string[]
  provides: string[]
  depends: string[]
  optDepends: string[]
  makeDepends: string[]
  checkDepends: string[]
  /** `pkg`, `split`, `debug`, … where pkgtype says */
  type?: string
}

/** All that repos and planners need of a package file; follows from its bytes, so it may be cached by their sha256. */
export interface PackageRecord {
  info: PackageInfo
  /** sorted by bytes; directories end with a slash; the package's own dot-files at the top are left out */
  files: string[]
  /** sonames of its shared libraries, with the ELF class: `libfoo.so.1=64`; sorted, each once */
  libraries: string[]
  /** sonames that its ELF files need, in the same form; sorted, each once */
  needs: string[]
}

/** How package files are compressed: the end of their names. */
const compressions = ['zst', 'xz', 'gz'] as const
export type Compression = (typeof compressions)[number]

const NAME = /^[A-Za-z0-9@_+][A-Za-z0-9@._+-]{0,199}$/
const VERSION = /^(?:[0-9]{1,18}:)?[A-Za-z0-9_.+~^]{1,180}-[0-9]+(?:\.[0-9]+){0,9}$/
const ARCHITECTURE = /^[A-Za-z0-9_]{1,32}$/
const FILE = /^(.+)-([^-]+-[^-]+)-([^-]+)\.pkg\.tar\.(zst|xz|gz)$/

/**
 * Whether makepkg would take it for a pkgname: it goes into paths, so there is no slash and no dot at its start. It is a
 * key of JSON objects as well, and one name is lost there.
 */
export function isPackageName(text: string): boolean {
  return NAME.test(text) && text !== '__proto__'
}

/** Whether it is [epoch:]pkgver-pkgrel. */
export function isPackageVersion(text: string): boolean {
  return VERSION.test(text)
}

export function isArchitecture(text: string): boolean {
  return ARCHITECTURE.test(text)
}

/** NAME-VERSION-ARCH.pkg.tar.zst. An epoch is in it as it is (`:`): in a URL it has to be encoded. */
export function packageFileName(
  { name, version, architecture }: Pick<PackageInfo, 'name' | 'version' | 'architecture'>,
  compression: Compression = 'zst',
): string {
  return `${name}-${version}-${architecture}.pkg.tar.${compression}`
}

/** The parts of a package file's name; undefined where it is no such name (also that of a signature). */
export function parseFileName(
  file: string,
): { name: string; version: string; architecture: string; compression: Compression } | undefined {
  const [, name, version, architecture, ending] = FILE.exec(file) ?? []
  if (name === undefined || version === undefined || architecture === undefined) return undefined
  const compression = compressions.find((known) => known === ending)
  if (compression === undefined) return undefined
  if (!isPackageName(name) || !isPackageVersion(version) || !isArchitecture(architecture)) return undefined
  return { name, version, architecture, compression }
}
