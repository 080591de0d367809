import { dirname, join } from 'node:path'
import { headerOf, INDEX, indexOf } from './package-directory.js'
import { formatPackages, packagePath } from './packages-index.js'
import type { Stanza } from './packages-index.js'
import type { RepoDirectory } from './repositories.js'
import {
  exists,
  makeDirectory,
  readBytes,
  readTextIfThere,
  removeFile,
  rename,
  statusOf,
  writeAtomically,
} from '../system/files.js'
import { findFiles } from '../system/glob.js'
import { sha256 } from '../system/hash.js'

/**
 * What a failed run finished is used by the next one, but only while it would be built the same way: Portage takes a
 * binary package of the same version and USE flags even where the ebuild, a patch or CFLAGS have been edited since.
 */

/** From what a run builds: unpacked ebuild repos, which never change, and its copy of the profile's etc-portage. */
export interface BuildInputs {
  repos: readonly RepoDirectory[]
  etcPortage: string
}

/** Path of a salvaged package → fingerprint of what it was built from. Lies beside the finished packages. */
const RECORD = 'salvaged.json'
/** In the run's own directory, so that what a killed run finished can be told too. */
const REPOS = 'repos.json'

export function noteRepos(run: string, repos: readonly RepoDirectory[]): void {
  writeAtomically(join(run, REPOS), JSON.stringify(repos))
}

/**
 * Adds to the finished packages what a failed or killed run completed: what its index names and what has the size
 * told there.
 * @param run its directory
 * @param tree inside it: holds binpkgs/ and etc-portage/
 * @returns paths of the added packages
 */
export function salvagePackages(run: string, tree: string, finished: string): string[] {
  const repos = readTextIfThere(join(run, REPOS))
  if (repos === undefined) return []
  const inputs = { repos: JSON.parse(repos) as RepoDirectory[], etcPortage: join(run, tree, 'etc-portage') }
  const profile = profileFingerprint(inputs.etcPortage)
  const record = readRecord(finished)
  const added: string[] = []
  for (const stanza of indexOf(join(run, tree, 'binpkgs'))) {
    const path = stanza.get('PATH') ?? ''
    const from = join(run, tree, 'binpkgs', path)
    const to = join(finished, path)
    if (!safePackagePath(path) || exists(to)) continue
    const status = statusOf(from)
    if (!status?.isFile() || String(status.size) !== stanza.get('SIZE')) continue
    makeDirectory(dirname(to))
    rename(from, to)
    record[path] = fingerprint(stanza, inputs.repos, profile)
    added.push(path)
  }
  if (added.length > 0) {
    writeAtomically(join(finished, RECORD), JSON.stringify(record))
    writeIndex(
      finished,
      [...indexOf(finished), ...indexOf(join(run, tree, 'binpkgs'))],
      headerOf(join(run, tree, 'binpkgs')),
    )
  }
  return added
}

/**
 * Removes salvaged packages that would be built differently now.
 * @returns their paths
 */
export function dropStaleSalvage(finished: string, inputs: BuildInputs): string[] {
  const record = readRecord(finished)
  const profile = profileFingerprint(inputs.etcPortage)
  const stale = Object.keys(record).filter((path) => {
    const stanza = new Map([['PATH', path]])
    return exists(join(finished, path)) && fingerprint(stanza, inputs.repos, profile) !== record[path]
  })
  for (const path of stale) removeFile(join(finished, path))
  if (stale.length > 0) writeIndex(finished, indexOf(finished), headerOf(finished))
  return stale
}

/** Portage trusts the index (FEATURES=pkgdir-index-trusted): it names every package that is there, and no other. */
function writeIndex(directory: string, stanzas: readonly Stanza[], header: Map<string, string>): void {
  const there = new Map(stanzas.map((stanza) => [packagePath(stanza), stanza]))
  for (const path of there.keys()) if (!exists(join(directory, path))) there.delete(path)
  writeAtomically(join(directory, INDEX), formatPackages({ header, stanzas: [...there.values()] }))
}

/** Files of etc-portage that choose what is built, not how: Portage compares their effect itself. */
const choices =
  /^(package\.(use|mask|unmask|accept_keywords|keywords|license|env)|sets|repos\.conf|binrepos\.conf)(\/|$)/

function profileFingerprint(etcPortage: string): string {
  const files = findFiles(etcPortage, '**').filter((path) => !choices.test(path))
  return sha256(JSON.stringify(files.map((path) => [path, sha256(readBytes(join(etcPortage, path)))])))
}

/** Everything in the ebuild repos that enters a package: its ebuild's directory and its metadata (with eclasses). */
function fingerprint(stanza: Stanza, repos: readonly RepoDirectory[], profile: string): string {
  const directory = dirname(stanza.get('PATH') ?? '')
  const category = dirname(directory)
  const name = directory.slice(category.length + 1)
  const inputs = repos.flatMap((repo) => {
    const cache = join(repo.directory, 'metadata/md5-cache', category)
    const versions = findFiles(cache, '*').filter((version) => version.startsWith(`${name}-`))
    return [
      ...findFiles(join(repo.directory, directory), '**').map((path) => join(repo.directory, directory, path)),
      ...versions.map((version) => join(cache, version)),
    ]
  })
  return sha256(JSON.stringify([profile, inputs.map((path) => sha256(readBytes(path)))]))
}

function readRecord(finished: string): Record<string, string> {
  const text = readTextIfThere(join(finished, RECORD))
  return text === undefined ? {} : (JSON.parse(text) as Record<string, string>)
}

/** Whether a PATH of an index stays below its directory and names a binary package. */
function safePackagePath(path: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9+_./-]*\.(gpkg\.tar|xpak|tbz2)$/.test(path) && !path.split('/').includes('..')
}
