/** [epoch:]pkgver[-pkgrel], split as libalpm does (lib/libalpm/version.c, parseEVR). */
export interface VersionParts {
  /** digits; '0' where the version has none */
  epoch: string
  pkgver: string
  /** undefined: the version says none, and stands for all */
  pkgrel: string | undefined
}

const EPOCH = /^([0-9]*):/

export function splitVersion(version: string): VersionParts {
  const [prefix = '', epoch = ''] = EPOCH.exec(version) ?? []
  const rest = version.slice(prefix.length)
  const dash = rest.lastIndexOf('-')
  return {
    epoch: epoch === '' ? '0' : epoch,
    pkgver: dash === -1 ? rest : rest.slice(0, dash),
    pkgrel: dash === -1 ? undefined : rest.slice(dash + 1),
  }
}

/**
 * Negative where `a` is the older one, as Array.sort wants it: libalpm's alpm_pkg_vercmp, the order of `vercmp`.
 * Where one of them has no pkgrel, the other one's does not count.
 */
export function compareVersions(a: string, b: string): number {
  if (a === b) return 0
  const [left, right] = [splitVersion(a), splitVersion(b)]
  return (
    compareText(left.epoch, right.epoch) ||
    compareText(left.pkgver, right.pkgver) ||
    (left.pkgrel === undefined || right.pkgrel === undefined ? 0 : compareText(left.pkgrel, right.pkgrel))
  )
}

/** Digits or letters, and how much separates them from what is before. */
const SEGMENT = /([^A-Za-z0-9]*)([0-9]+|[A-Za-z]+)/y

/** libalpm's rpmvercmp, which is that of RPM 4.8: segment by segment; `~` and `^` separate, and mean nothing else. */
function compareText(a: string, b: string): number {
  if (a === b) return 0
  let [one, two] = [0, 0]
  while (one < a.length && two < b.length) {
    const [left, right] = [segmentAt(a, one), segmentAt(b, two)]
    if (left === undefined || right === undefined) return compareEnds(restOf(a, one), restOf(b, two))
    if (left.separator !== right.separator) return left.separator - right.separator
    const difference = compareSegments(left.text, right.text)
    if (difference !== 0) return difference
    one = left.end
    two = right.end
  }
  return compareEnds(a.slice(one), b.slice(two))
}

function segmentAt(version: string, start: number): { separator: number; text: string; end: number } | undefined {
  SEGMENT.lastIndex = start
  const match = SEGMENT.exec(version)
  if (match === null) return undefined
  const [{ length }, { length: separator } = '', text = ''] = match
  return { separator, text, end: start + length }
}

/** A number is newer than letters; the number with more digits is the higher one. */
function compareSegments(a: string, b: string): number {
  const [left, right] = [isDigit(a), isDigit(b)]
  if (left !== right) return left ? 1 : -1
  if (!left) return order(a, b)
  const [high, low] = [a.replace(/^0+/, ''), b.replace(/^0+/, '')]
  return high.length - low.length || order(high, low)
}

/** What is left where one is at its end: letters are older than nothing (1.0rc < 1.0), anything else is newer. */
function compareEnds(a: string, b: string): number {
  if (a === '' && b === '') return 0
  return (a === '' && !isLetter(b)) || isLetter(a) ? -1 : 1
}

/** What is at `start` without what separates it. */
function restOf(version: string, start: number): string {
  return version.slice(start).replace(/^[^A-Za-z0-9]+/, '')
}

function isDigit(text: string): boolean {
  return /^[0-9]/.test(text)
}

function isLetter(text: string): boolean {
  return /^[A-Za-z]/.test(text)
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
