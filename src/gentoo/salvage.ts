import { basename, dirname, join } from 'node:path'
import { packagePath } from '../model/packages-index.js'
import { exists, linkTarget, readBytes, readTextIfThere, removeFile, writeAtomically } from '../system/files.js'
import { findFiles } from '../system/glob.js'
import { sha256 } from '../system/hash.js'
import { readIndex, takePackages, writeIndex } from './package-directory.js'
import type { RepoDirectory } from './repositories.js'
import type { RunDirectory } from './run-directory.js'

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

export function noteRepos(run: RunDirectory, repos: readonly RepoDirectory[]): void {
  writeAtomically(join(run.top, REPOS), JSON.stringify(repos))
}

/**
 * Adds to the finished packages what a failed or killed run completed.
 * @param run its directory
 * @returns paths of the added packages
 */
export function salvagePackages(run: RunDirectory, finished: string): string[] {
  const repos = readTextIfThere(join(run.top, REPOS))
  if (repos === undefined) return []
  const profile = profileFingerprint(run.etcPortage)
  const record = readRecord(finished)
  const index = readIndex(run.container.packages)
  const taken = takePackages(run.container.packages, index.stanzas, finished)
  if (taken.length === 0) return []
  for (const stanza of taken) {
    record[packagePath(stanza)] = fingerprint(packagePath(stanza), JSON.parse(repos) as RepoDirectory[], profile)
  }
  writeAtomically(join(finished, RECORD), JSON.stringify(record))
  writeIndex(finished, index.header, [...readIndex(finished).stanzas, ...taken])
  return taken.map(packagePath)
}

/**
 * Removes salvaged packages that would be built differently now.
 * @returns their paths
 */
export function dropStaleSalvage(finished: string, inputs: BuildInputs): string[] {
  const record = readRecord(finished)
  const profile = profileFingerprint(inputs.etcPortage)
  const stale = Object.keys(record).filter(
    (path) => exists(join(finished, path)) && fingerprint(path, inputs.repos, profile) !== record[path],
  )
  for (const path of stale) removeFile(join(finished, path))
  const { header, stanzas } = readIndex(finished)
  if (stale.length > 0) writeIndex(finished, header, stanzas)
  return stale
}

/** Files of etc-portage that choose what is built, not how: Portage compares their effect itself. */
const choices = /^(package\.(use|mask|unmask|accept_keywords|keywords|license)|sets|repos\.conf|binrepos\.conf)(\/|$)/

function profileFingerprint(etcPortage: string): string {
  const files = findFiles(etcPortage, '**').filter((path) => !choices.test(path))
  const makeProfile = linkTarget(join(etcPortage, 'make.profile'))
  return sha256(JSON.stringify([makeProfile, ...files.map((path) => [path, digest(join(etcPortage, path))])]))
}

/**
 * Everything in the ebuild repos that enters a package: its ebuild's directory, its metadata (with eclasses), and the
 * profiles' own settings.
 */
function fingerprint(path: string, repos: readonly RepoDirectory[], profile: string): string {
  const directory = dirname(path)
  const category = dirname(directory)
  const name = directory.slice(category.length + 1)
  const inputs = repos.flatMap((repo) => {
    const cache = join('metadata/md5-cache', category)
    return [
      ...below(repo, directory, '**'),
      ...below(repo, cache, '*').filter((version) => basename(version).startsWith(`${name}-`)),
      ...below(repo, 'profiles', '**/{make.defaults,package.env,profile.bashrc}'),
    ]
  })
  return sha256(JSON.stringify([profile, inputs.map(digest)]))
}

function below(repo: RepoDirectory, directory: string, pattern: string): string[] {
  const top = join(repo.directory, directory)
  return findFiles(top, pattern).map((path) => join(top, path))
}

function digest(path: string): string {
  return sha256(readBytes(path))
}

function readRecord(finished: string): Record<string, string> {
  const text = readTextIfThere(join(finished, RECORD))
  return text === undefined ? {} : (JSON.parse(text) as Record<string, string>)
}
