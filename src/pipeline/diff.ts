import { packagesPack } from '../model/build.js'
import type { Build } from '../model/build.js'
import { publishError } from '../model/errors.js'
import { compareVersions as compareGentoo, splitCpv } from '../model/gentoo-version.js'
import type { FileEntry } from '../model/manifest.js'
import { objectKey } from '../model/object-key.js'
import { parsePackages } from '../model/packages-index.js'
import { parseFileName } from '../model/pacman-package.js'
import { compareVersions as comparePacman } from '../model/pacman-version.js'
import { formatReference } from '../model/reference.js'
import { readBuild, readManifestOf } from '../store/builds.js'
import type { Store } from '../store/layout.js'
import { readTextIfThere } from '../system/files.js'

type Stanza = Map<string, string>

/** `NAME:SLOT` → version → what tells one build of that version from another */
type Packages = Map<string, Map<string, string>>

interface PackageChange {
  /** CATEGORY/NAME; of a pacman repo: pkgname */
  package: string
  /** 0 in a pacman repo */
  slot: string
}

export interface BuildDiff {
  added: (PackageChange & { version: string })[]
  removed: (PackageChange & { version: string })[]
  upgraded: (PackageChange & { from: string; to: string })[]
  downgraded: (PackageChange & { from: string; to: string })[]
  /** same version, built anew */
  rebuilt: (PackageChange & { version: string })[]
  /** ebuild repos, profile and options that differ; null: not there */
  inputs: { name: string; from: string | null; to: string | null }[]
}

/**
 * What changes for a client that goes from one build of a tree to another.
 * @throws BUILD_UNKNOWN, OBJECT_MISSING, PACKAGES_INVALID
 */
export async function diffBuilds(store: Store, tree: string, from: number, to: number): Promise<BuildDiff> {
  const [before, after] = [readBuild(store, tree, from), readBuild(store, tree, to)]
  const compareVersions = after.kind === 'pacman-repo' ? comparePacman : compareGentoo
  const packages = compare(await packagesOf(store, before), await packagesOf(store, after), compareVersions)
  return { ...packages, inputs: compareInputs(before, after) }
}

/** The packages of two binhost indexes. */
export function comparePackages(before: readonly Stanza[], after: readonly Stanza[]): Omit<BuildDiff, 'inputs'> {
  return compare(byPackage(before), byPackage(after), compareGentoo)
}

function compare(
  old: Packages,
  current: Packages,
  compareVersions: (a: string, b: string) => number,
): Omit<BuildDiff, 'inputs'> {
  const diff: Omit<BuildDiff, 'inputs'> = { added: [], removed: [], upgraded: [], downgraded: [], rebuilt: [] }
  for (const key of [...new Set([...old.keys(), ...current.keys()])].sort()) {
    const [name = '', slot = ''] = key.split(':')
    const change = { package: name, slot }
    const [had, has] = [old.get(key) ?? new Map<string, string>(), current.get(key) ?? new Map<string, string>()]
    const gone = [...had.keys()].filter((version) => !has.has(version)).sort(compareVersions)
    const come = [...has.keys()].filter((version) => !had.has(version)).sort(compareVersions)
    const [last, next] = [gone.at(-1), come.at(-1)]
    if (last !== undefined && next !== undefined) {
      const moved = { ...change, from: last, to: next }
      if (compareVersions(last, next) < 0) diff.upgraded.push(moved)
      else diff.downgraded.push(moved)
      gone.pop()
      come.pop()
    }
    diff.removed.push(...gone.map((version) => ({ ...change, version })))
    diff.added.push(...come.map((version) => ({ ...change, version })))
    for (const [version, identity] of has) {
      if ((had.get(version) ?? identity) !== identity) diff.rebuilt.push({ ...change, version })
    }
  }
  return diff
}

async function packagesOf(store: Store, build: Build): Promise<Packages> {
  if (build.kind === 'pacman-repo') return byFileName(await filesOf(store, build))
  return byPackage(await stanzasOf(store, build))
}

async function filesOf(store: Store, build: Build): Promise<FileEntry[]> {
  const pack = packagesPack(build)
  const { entries } = pack === undefined ? { entries: [] } : await readManifestOf(store, pack)
  return entries.filter((entry) => entry.type === 'file')
}

function byFileName(files: readonly FileEntry[]): Packages {
  const packages: Packages = new Map()
  for (const { path, sha256 } of files) {
    const { name, version } = parseFileName(path) ?? { name: path, version: '' }
    packages.set(`${name}:0`, new Map([[version, sha256]]))
  }
  return packages
}

function byPackage(stanzas: readonly Stanza[]): Packages {
  const packages: Packages = new Map()
  for (const stanza of stanzas) {
    const cpv = stanza.get('CPV') ?? ''
    const { name, version } = splitCpv(cpv) ?? { name: cpv, version: '' }
    const key = `${name}:${stanza.get('SLOT')?.split('/')[0] ?? '0'}`
    const versions = packages.get(key) ?? new Map<string, string>()
    packages.set(key, versions)
    versions.set(version, [...(versions.get(version)?.split('\n') ?? []), identityOf(stanza)].sort().join('\n'))
  }
  return packages
}

function identityOf(stanza: Stanza): string {
  return ['BUILD_ID', 'BUILD_TIME', 'SIZE', 'SHA1', 'MD5'].map((field) => stanza.get(field) ?? '').join(' ')
}

async function stanzasOf(store: Store, build: Build): Promise<Stanza[]> {
  const entry = (await filesOf(store, build)).find(({ path }) => path === 'Packages')
  if (entry === undefined) return []
  const name = `Packages of ${formatReference(build.name, build.number)}`
  const text = readTextIfThere(store.object(objectKey(entry.sha256, entry.executable)))
  if (text === undefined) {
    throw publishError(
      'OBJECT_MISSING',
      `the store has lost ${name}`,
      'run `treeswap check`: it says what is to be done',
    )
  }
  return parsePackages(text, name).stanzas
}

function compareInputs(before: Build, after: Build): BuildDiff['inputs'] {
  const [old, current] = [revisions(before), revisions(after)]
  return [...new Set([...old.keys(), ...current.keys()])]
    .map((name) => ({ name, from: old.get(name) ?? null, to: current.get(name) ?? null }))
    .filter(({ from, to }) => from !== to)
}

function revisions(build: Build): Map<string, string> {
  return new Map(build.inputs.map(({ name, commit, fingerprint }) => [name, commit ?? fingerprint ?? '']))
}
