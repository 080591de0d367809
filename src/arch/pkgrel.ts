import { configurationError } from '../model/errors.js'
import { compareVersions, splitVersion } from '../model/pacman-version.js'

/** The release of a rebuild from the same recipe: 1 → 1.1 → 1.2, 2.9 → 2.10 (PKGBUILD(5), pkgrel). */
export function bumpRelease(pkgrel: string): string {
  const [whole = '', ...minor] = pkgrel.split('.')
  const last = minor.pop()
  return last === undefined ? `${whole}.1` : [whole, ...minor, BigInt(last) + 1n].join('.')
}

/**
 * The version under which a recipe is to be built.
 * @param recipe [epoch:]pkgver-pkgrel, as it says itself
 * @param previous the highest version that the tree has of its packages; undefined: none
 * @param mustDiffer whether what is built now is to replace the packages of the same recipe version; otherwise that
 *   version stays, with the release of the latest rebuild
 * @throws VERSION_NOT_RISING
 */
export function nextVersion(recipe: string, previous: string | undefined, mustDiffer: boolean): string {
  if (previous === undefined) return recipe
  const [own, last] = [splitVersion(recipe), splitVersion(previous)]
  const [start, lastRelease] = [recipe.slice(0, recipe.lastIndexOf('-')), last.pkgrel ?? '1']
  if (compareVersions(start, withoutRelease(previous)) === 0 && isRebuild(own.pkgrel ?? '1', lastRelease)) {
    return `${start}-${mustDiffer ? bumpRelease(lastRelease) : lastRelease}`
  }
  if (compareVersions(recipe, previous) > 0) return recipe
  throw notRising(recipe, previous)
}

/** Whether the release of before is that of the recipe, or came of it by bumping. */
function isRebuild(own: string, last: string): boolean {
  return own.split('.')[0] === last.split('.')[0] && compareVersions(own, last) <= 0
}

function withoutRelease(version: string): string {
  const { epoch, pkgver } = splitVersion(version)
  return `${epoch}:${pkgver}`
}

function notRising(recipe: string, previous: string): Error {
  const { epoch } = splitVersion(previous)
  const own = splitVersion(recipe)
  const enough = compareVersions(`${epoch}:${own.pkgver}-${own.pkgrel ?? '1'}`, previous) > 0
  const proposed = enough ? epoch : String(BigInt(epoch) + 1n)
  return configurationError(
    'VERSION_NOT_RISING',
    `the recipe says ${recipe}, which is lower than the ${previous} that clients have: they would not take it`,
    `write epoch=${proposed} into the PKGBUILD, where this version is right; otherwise raise its pkgver or pkgrel`,
  )
}
