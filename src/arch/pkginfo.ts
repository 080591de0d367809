import { isArchitecture, isPackageName, isPackageVersion } from '../model/pacman-package.js'
import type { PackageInfo } from '../model/pacman-package.js'

/**
 * Reads a package's .PKGINFO: lines `key = value`, some keys once a value, comments after `#` (makepkg,
 * write_pkginfo; alpm, be_package.c, parse_descfile). Keys that a repo has no use for are ignored.
 * @param invalid makes the error from what is wrong
 * @throws what `invalid` makes
 */
export function parsePkginfo(text: string, invalid: (why: string) => Error): PackageInfo {
  const values = readLines(text, invalid)
  const all = (key: string): string[] => values.get(key) ?? []
  const last = (key: string): string | undefined => values.get(key)?.at(-1)
  const number = (key: string): number => {
    const value = last(key) ?? '0'
    if (!/^[0-9]{1,15}$/.test(value)) throw invalid(`${key} in .PKGINFO is no number: ${printable(value)}`)
    return Number(value)
  }
  const checked = (key: string, is: (value: string) => boolean, value = last(key)): string => {
    if (value === undefined) throw invalid(`.PKGINFO does not say ${key}`)
    if (!is(value)) throw invalid(`${printable(value)} in .PKGINFO cannot be a ${key}`)
    return value
  }
  const name = checked('pkgname', isPackageName)
  const description = last('pkgdesc')
  const url = last('url')
  const packager = last('packager')
  const type =
    last('pkgtype') ??
    all('xdata')
      .find((value) => value.startsWith('pkgtype='))
      ?.slice('pkgtype='.length)
  return {
    name,
    base: checked('pkgbase', isPackageName, last('pkgbase') ?? name),
    version: checked('pkgver', isPackageVersion),
    ...(description !== undefined && { description }),
    ...(url !== undefined && { url }),
    architecture: checked('arch', isArchitecture),
    ...(packager !== undefined && { packager }),
    buildDate: number('builddate'),
    installedSize: number('size'),
    groups: all('group'),
    licenses: all('license'),
    replaces: all('replaces'),
    conflicts: all('conflict'),
    provides: all('provides'),
    depends: all('depend'),
    optDepends: all('optdepend'),
    makeDepends: all('makedepend'),
    checkDepends: all('checkdepend'),
    ...(type !== undefined && { type }),
  }
}

// eslint-disable-next-line no-control-regex -- these are what is looked for
const control = /[\u0000-\u001f\u007f-\u009f\ufffd]/

/** Values by key, in order; empty ones say nothing. */
function readLines(text: string, invalid: (why: string) => Error): Map<string, string[]> {
  const values = new Map<string, string[]>()
  for (const [index, line] of text.split('\n').entries()) {
    if (line.startsWith('#') || line.trim() === '') continue
    const [, key, rest] = /^\s*([a-z0-9_]+)\s*=(.*)$/.exec(line) ?? []
    if (key === undefined || rest === undefined) throw invalid(`line ${index + 1} of .PKGINFO is no "key = value"`)
    // one line in a database, too: spaces as repo-add has them
    const value = rest.replace(/[\t\v\f\r ]+/g, ' ').replace(/^ | $/g, '')
    if (control.test(value)) throw invalid(`line ${index + 1} of .PKGINFO holds a control character`)
    if (value === '') continue
    const known = values.get(key)
    if (known) known.push(value)
    else values.set(key, [value])
  }
  return values
}

function printable(value: string): string {
  return JSON.stringify(value.slice(0, 100))
}
