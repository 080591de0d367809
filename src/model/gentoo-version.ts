/** A version of Gentoo's: Package Manager Specification 3.2. */
const pattern = /^(\d+(?:\.\d+)*)([a-z]?)((?:_(?:alpha|beta|pre|rc|p)\d*)*)(?:-r(\d+))?$/
const suffixes = ['alpha', 'beta', 'pre', 'rc', '', 'p']

/** Splits `CATEGORY/NAME-VERSION`; undefined where there is no version in it. */
export function splitCpv(cpv: string): { name: string; version: string } | undefined {
  for (let dash = cpv.indexOf('-'); dash !== -1; dash = cpv.indexOf('-', dash + 1)) {
    if (pattern.test(cpv.slice(dash + 1))) return { name: cpv.slice(0, dash), version: cpv.slice(dash + 1) }
  }
  return undefined
}

/** Negative where `a` is the older one, as Array.sort wants it: Package Manager Specification 3.3. */
export function compareVersions(a: string, b: string): number {
  const [, numbersA = '', letterA = '', suffixesA = '', revisionA = '0'] = pattern.exec(a) ?? []
  const [, numbersB = '', letterB = '', suffixesB = '', revisionB = '0'] = pattern.exec(b) ?? []
  return (
    compareNumbers(numbersA.split('.'), numbersB.split('.')) ||
    letterA.localeCompare(letterB, 'en') ||
    compareSuffixes(suffixesA.split('_').slice(1), suffixesB.split('_').slice(1)) ||
    compareIntegers(revisionA, revisionB)
  )
}

function compareNumbers(a: string[], b: string[]): number {
  for (let index = 0; index < Math.min(a.length, b.length); index++) {
    const difference = compareComponents(a[index] ?? '', b[index] ?? '', index === 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Components after the first are compared as fractions where one of them begins with 0. */
function compareComponents(a: string, b: string, first: boolean): number {
  if (first || !(a.startsWith('0') || b.startsWith('0'))) return compareIntegers(a, b)
  const [left, right] = [a.replace(/0+$/, ''), b.replace(/0+$/, '')]
  return left < right ? -1 : left > right ? 1 : 0
}

function compareSuffixes(a: string[], b: string[]): number {
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const [, kindA = '', numberA = ''] = /^([a-z]*)(\d*)$/.exec(a[index] ?? '') ?? []
    const [, kindB = '', numberB = ''] = /^([a-z]*)(\d*)$/.exec(b[index] ?? '') ?? []
    const difference = suffixes.indexOf(kindA) - suffixes.indexOf(kindB) || compareIntegers(numberA, numberB)
    if (difference !== 0) return difference
  }
  return 0
}

function compareIntegers(a: string, b: string): number {
  const difference = BigInt(a) - BigInt(b)
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}
