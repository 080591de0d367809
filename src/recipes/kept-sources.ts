import type { KnownRecipe } from './plan-repo.js'

/**
 * Name of the directory in which a recipe's sources are kept from one build to the next. Those of a tag are of one commit
 * only: its checksums are made anew, so that nothing else would tell the archive of a moved tag from the one before.
 */
export function keptSources(base: string, { release, commit }: Pick<KnownRecipe, 'release' | 'commit'>): string {
  // no pkgbase has a tilde
  return release === undefined ? base : `${base}~${commit}`
}
