/** What `.SRCINFO` says of a recipe, for one architecture. */
export interface Srcinfo {
  /** pkgbase */
  base: string
  /** [epoch:]pkgver-pkgrel */
  version: string
  pkgver: string
  pkgrel: string
  epoch: number | undefined
  arch: string[]
  /** of the recipe as a whole: what has to be there while it is built; dependencies as written */
  depends: string[]
  makeDepends: string[]
  checkDepends: string[]
  /** as written: `[NAME::]URL` or the name of a file beside the PKGBUILD */
  sources: string[]
  /** fingerprints of the keys that sign its sources */
  validPgpKeys: string[]
  /** at least one */
  packages: SrcinfoPackage[]
}

/** One package that a recipe makes; lists are as written, those it does not override are the recipe's. */
export interface SrcinfoPackage {
  name: string
  arch: string[]
  depends: string[]
  optDepends: string[]
  provides: string[]
  conflicts: string[]
  replaces: string[]
  groups: string[]
}
