import { configurationError } from '../model/errors.js'

/**
 * A PKGBUILD for a release: pkgver as the tag says, pkgrel begun anew, and the checksums of the new sources, where they
 * are known, after all that it says itself (the last assignment is what counts in a shell).
 * @param checksums lines as makepkg --geninteg prints them
 * @throws RECIPE_INVALID where there is no line `pkgver=`
 */
export function setVersion(text: string, version: string, checksums = ''): string {
  if (!/^pkgver=/m.test(text)) {
    throw configurationError(
      'RECIPE_INVALID',
      'its PKGBUILD has no line that begins with "pkgver="',
      'the version of a tag takes its place: write such a line',
    )
  }
  const set = text.replace(/^pkgver=.*$/m, `pkgver=${version}`).replace(/^pkgrel=.*$/m, 'pkgrel=1')
  return checksums === '' ? set : `${set.trimEnd()}\n\n${checksums.trimEnd()}\n`
}
