import { compareVersions } from '../model/pacman-version.js'

const operators = ['<=', '>=', '<', '>', '='] as const
type Operator = (typeof operators)[number]

/** A name, and which versions of it are meant; a soname (`libfoo.so`, `libfoo.so=1-64`) is a name as well. */
export interface Dependency {
  name: string
  /** undefined: any version */
  wanted: { operator: Operator; version: string } | undefined
}

/** A package as dependencies see it. */
export interface Provider {
  name: string
  /** [epoch:]pkgver-pkgrel */
  version: string
  /** as written: NAME or NAME=VERSION */
  provides: readonly string[]
}

const PATTERN = /^([A-Za-z0-9@_+][A-Za-z0-9@._+:-]{0,254}?)(?:(<=|>=|[<>=])([A-Za-z0-9:._+~^@-]{1,255}))?$/

/**
 * `NAME`, or `NAME` with an operator and a version, without spaces (PKGBUILD(5), depends); undefined where it is
 * something else. Descriptions, as in optdepends, are not part of it.
 */
export function parseDependency(text: string): Dependency | undefined {
  const [, name, sign, version] = PATTERN.exec(text) ?? []
  if (name === undefined) return undefined
  const operator = operators.find((known) => known === sign)
  return { name, wanted: operator === undefined || version === undefined ? undefined : { operator, version } }
}

/** Whether the package itself, or something it provides, is what is wanted: libalpm's _alpm_depcmp. */
export function satisfies(provider: Provider, dependency: Dependency): boolean {
  return isMeant(provider, dependency) || provides(provider, dependency)
}

/** Whether it is the package of that name, in a version that is wanted. */
export function isMeant({ name, version }: Provider, dependency: Dependency): boolean {
  return name === dependency.name && accepts(dependency, version)
}

/** What is provided without a version satisfies only those who want none in particular. */
function provides({ provides: all }: Provider, dependency: Dependency): boolean {
  return all.some((text) => {
    const provision = parseDependency(text)
    if (provision?.name !== dependency.name) return false
    if (dependency.wanted === undefined) return true
    return provision.wanted?.operator === '=' && accepts(dependency, provision.wanted.version)
  })
}

function accepts({ wanted }: Dependency, version: string): boolean {
  if (wanted === undefined) return true
  const order = compareVersions(version, wanted.version)
  switch (wanted.operator) {
    case '<':
      return order < 0
    case '<=':
      return order <= 0
    case '=':
      return order === 0
    case '>=':
      return order >= 0
    case '>':
      return order > 0
  }
}
