import { configurationError } from '../model/errors.js'
import { isArchitecture, isPackageName, isPackageVersion } from '../model/pacman-package.js'
import { parseDependency } from './dependency.js'
import { readSections } from './srcinfo-sections.js'
import type { Section } from './srcinfo-sections.js'

/** What `.SRCINFO` says of a recipe, for one architecture. */
export interface Srcinfo {
  /** pkgbase */
  base: string
  /** [epoch:]pkgver-pkgrel; where the recipe computes its pkgver, that of its latest computation */
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

/** What may be said for one architecture alone, as `depends_x86_64` (PKGBUILD(5)), besides checksums. */
type PerArchitecture = Relation | 'optdepends' | 'source'

const relations = ['depends', 'makedepends', 'checkdepends', 'provides', 'conflicts', 'replaces'] as const
type Relation = (typeof relations)[number]

/**
 * Far above what any recipe has, and little enough to be gone through: packages; dependencies and their like as
 * written; and what the recipe says for all its packages, times these.
 */
const MOST = { packages: 1000, relations: 4000, inherited: 200_000 } as const

/**
 * @param architecture whose own values are added to those for all
 * @param source of the recipe, named in errors
 * @throws SRCINFO_INVALID
 */
export function parseSrcinfo(text: string, architecture: string, source = 'a recipe'): Srcinfo {
  const sections = readSections(text)
  if (typeof sections === 'string') throw invalid(source, sections)
  const [recipe, ...packages] = sections
  if (recipe === undefined) throw invalid(source, 'it is empty')
  const much = tooMuch(recipe, packages)
  if (much !== undefined) throw invalid(source, much)
  const info = readRecipe(recipe, packages, architecture)
  const wrong = typeof info === 'string' ? info : (wrongNames(info) ?? wrongDependencies(info))
  if (typeof info !== 'string' && wrong === undefined) return info
  throw invalid(source, wrong ?? 'it is none')
}

/** What of a text there is too much of: who writes a recipe must not fill the memory of whoever reads it. */
function tooMuch(recipe: Section, packages: readonly Section[]): string | undefined {
  if (packages.length > MOST.packages) return `it names more than ${MOST.packages} packages`
  const isRelation = (key: string): boolean => relations.some((one) => key === one || key.startsWith(`${one}_`))
  const all = [recipe, ...packages].flatMap(({ values }) => [...values].filter(([key]) => isRelation(key)))
  const written = all.reduce((sum, [, values]) => sum + values.length, 0)
  if (written > MOST.relations) return `it has more than ${MOST.relations} dependencies and the like`
  const more = [...recipe.values].filter(([key]) => /^(optdepends(_.*)?|arch|groups)$/.test(key))
  const own = [...recipe.values].filter(([key]) => isRelation(key))
  const inherited = [...own, ...more].reduce((sum, [, values]) => sum + values.length, 0)
  return inherited * packages.length > MOST.inherited ? 'it says too much of too many packages' : undefined
}

/** What is wrong, where it is no recipe. */
function readRecipe(recipe: Section, packages: readonly Section[], architecture: string): Srcinfo | string {
  const several = ['pkgver', 'pkgrel', 'epoch'].find((key) => (recipe.values.get(key)?.length ?? 0) > 1)
  if (several !== undefined) return `it has more than one ${several}`
  const pkgver = recipe.values.get('pkgver')?.[0]
  const pkgrel = recipe.values.get('pkgrel')?.[0]
  if (pkgver === undefined || pkgrel === undefined) return `it has no ${pkgver === undefined ? 'pkgver' : 'pkgrel'}`
  const epoch = recipe.values.get('epoch')?.[0]
  const version = `${epoch === undefined || /^0+$/.test(epoch) ? '' : `${epoch}:`}${pkgver}-${pkgrel}`
  if (!/^[^:-]+$/.test(pkgver) || !/^[0-9]+(\.[0-9]+)?$/.test(pkgrel) || !isPackageVersion(version)) {
    return `${JSON.stringify(version)} is no version ([epoch:]pkgver-pkgrel)`
  }
  const own = (key: PerArchitecture) => listOf(recipe, undefined, key, architecture)
  return {
    base: recipe.name,
    version,
    pkgver,
    pkgrel,
    epoch: epoch === undefined ? undefined : Number(epoch),
    arch: recipe.values.get('arch') ?? [],
    depends: own('depends'),
    makeDepends: own('makedepends'),
    checkDepends: own('checkdepends'),
    sources: own('source'),
    validPgpKeys: recipe.values.get('validpgpkeys') ?? [],
    packages: packages.map((section) => readPackage(recipe, section, architecture)),
  }
}

function readPackage(recipe: Section, section: Section, architecture: string): SrcinfoPackage {
  const own = (key: PerArchitecture) => listOf(section, recipe, key, architecture)
  return {
    name: section.name,
    arch: section.values.get('arch') ?? recipe.values.get('arch') ?? [],
    depends: own('depends'),
    optDepends: own('optdepends'),
    provides: own('provides'),
    conflicts: own('conflicts'),
    replaces: own('replaces'),
    groups: section.values.get('groups') ?? recipe.values.get('groups') ?? [],
  }
}

/** A package overrides what is for all and what is for one architecture each by itself, also with nothing. */
function listOf(section: Section, recipe: Section | undefined, key: PerArchitecture, architecture: string): string[] {
  return [key, `${key}_${architecture}`].flatMap((name) => section.values.get(name) ?? recipe?.values.get(name) ?? [])
}

function wrongNames({ base, arch, packages }: Srcinfo): string | undefined {
  const name = [base, ...packages.map((one) => one.name)].find((one) => !isPackageName(one))
  if (name !== undefined) return `${JSON.stringify(name)} is no name of a package`
  const architectures = [...arch, ...packages.flatMap((one) => one.arch)]
  if (arch.length === 0) return 'it has no arch'
  const architecture = architectures.find((one) => !isArchitecture(one))
  return architecture === undefined ? undefined : `${JSON.stringify(architecture)} is no architecture`
}

function wrongDependencies({ depends, makeDepends, checkDepends, packages }: Srcinfo): string | undefined {
  const relations = packages.flatMap((one) => [...one.depends, ...one.provides, ...one.conflicts, ...one.replaces])
  const wrong = [...depends, ...makeDepends, ...checkDepends, ...relations].find(
    (text) => parseDependency(text) === undefined,
  )
  return wrong === undefined ? undefined : `${JSON.stringify(wrong)} is no dependency (NAME, or as NAME>=VERSION)`
}

function invalid(source: string, why: string): Error {
  return configurationError(
    'SRCINFO_INVALID',
    `what makepkg says of ${source} cannot be used: ${why}`,
    'run `makepkg --printsrcinfo` beside its PKGBUILD, and mend what it shows',
  )
}
