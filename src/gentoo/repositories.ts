import { dirname, join } from 'node:path'
import type { Bind } from '../chroot/requests.js'
import { configurationError } from '../model/errors.js'
import { validName } from '../model/names.js'
import { isDirectory } from '../system/files.js'
import { readForeignFile } from '../system/foreign-file.js'

/** An ebuild repo as a directory on this host. */
export interface RepoDirectory {
  name: string
  directory: string
}

const LOCATION = '/var/db/repos'

/**
 * The text of a file that the author of a repo wrote: a regular file below real directories. A link could lead to
 * what only the host's root may read. Undefined where there is none.
 */
function readRepoFile(directory: string, path: string): string | undefined {
  if (!isDirectory(join(directory, dirname(path)))) return undefined
  return readForeignFile(join(directory, path), 65536)?.toString('utf8')
}

/**
 * The name an ebuild repo gives itself (Package Manager Specification 4.4).
 * @throws REPO_NAME_MISSING, NAME_INVALID
 */
export function repoNameOf(directory: string): string {
  const name = readRepoFile(directory, 'profiles/repo_name')?.split('\n')[0]?.trim()
  if (name !== undefined && name !== '') return validName('ebuild repo', name)
  throw configurationError(
    'REPO_NAME_MISSING',
    `${directory} is no ebuild repo: profiles/repo_name is missing or empty`,
    'name the top directory of an ebuild repo, or write its name into profiles/repo_name',
  )
}

/** @throws REPO_NAME_MISMATCH and what repoNameOf throws */
export function requireRepoName(directory: string, name: string): void {
  const own = repoNameOf(directory)
  if (own === name) return
  throw configurationError(
    'REPO_NAME_MISMATCH',
    `${directory} calls itself ${own}, not ${name} (profiles/repo_name)`,
    `use ${own} as its name in the configuration too: clients know it by that name`,
  )
}

/** The repos whose eclasses and profiles an ebuild repo builds upon: `masters` of metadata/layout.conf. */
export function mastersOf(directory: string): string[] {
  const layout = readRepoFile(directory, 'metadata/layout.conf') ?? ''
  const line = layout.split('\n').find((text) => /^\s*masters\s*=/.test(text))
  return line === undefined
    ? []
    : line
        .slice(line.indexOf('=') + 1)
        .split(/\s+/)
        .filter(Boolean)
}

/** Binds every repo read-only to the place where Portage looks for it. */
export function bindRepos(repos: readonly RepoDirectory[]): Bind[] {
  return repos.map(({ name, directory }) => ({ source: directory, target: `${LOCATION}/${name}`, writable: false }))
}

/**
 * What Portage takes instead of every repos.conf when it stands in PORTAGE_REPOSITORIES (portage(5), egencache(1)).
 * The first repo without masters is the main one.
 */
export function repositoriesConfiguration(repos: readonly RepoDirectory[]): string {
  const main = repos.find(({ directory }) => mastersOf(directory).length === 0) ?? repos[0]
  const sections = repos.map(({ name }) => `[${name}]\nlocation = ${LOCATION}/${name}\nauto-sync = no\n`)
  return [`[DEFAULT]\nmain-repo = ${main?.name ?? ''}\n`, ...sections].join('\n')
}
