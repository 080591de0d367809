import { gzipSync } from 'node:zlib'
import { publishError } from '../model/errors.js'
import type { FileMap } from '../model/file-map.js'
import { objectMtime } from '../model/object-key.js'
import { formatPackages, packagePath, parsePackages } from '../model/packages-index.js'
import type { Stanza } from '../model/packages-index.js'
import type { Stamps } from '../store/generations.js'
import { PACKAGES_DIRECTORY } from './assemble.js'

interface RepoContent {
  name: string
  /** of the pack's manifest: equal digests, equal content */
  digest: string
  /** seconds since 1970 */
  commitTime: number | undefined
}

export interface IndexRequest {
  /** what the generation holds besides (assembleMachine) */
  files: FileMap
  /** `Packages` as the build archived it; undefined: the build has no binary packages */
  packagesText: string | undefined
  /** what is being published, for errors */
  source: string
  repos: readonly RepoContent[]
  /** the latest that were ever given */
  stamps: Stamps
  /** seconds since 1970 */
  now: number
  /** where clients fetch the packages of exactly this generation, with a slash at its end */
  uri?: string
  /** the packages that are not the archived ones, by path below the index; given: every package has to be there */
  replaced?: ReadonlyMap<string, ReplacedPackage>
}

/** A package in place of the one that the build archived. */
export interface ReplacedPackage {
  /** of the one that was archived */
  archivedSize: number
  /** by their names in the index */
  sums: { MD5: string; SHA1: string }
}

const PACKAGES = `${PACKAGES_DIRECTORY}/Packages`

/**
 * The index files of a generation, and the stamps it leaves. Stamps rise strictly, whatever the clock says and however
 * old the content is, because clients ignore an index that is not newer than theirs.
 * @throws PACKAGES_INVALID, PACKAGES_INCOMPLETE, REPO_INVALID
 */
export function indexFiles(request: IndexRequest): { files: FileMap; stamps: Stamps } {
  const files: FileMap = new Map()
  const stamps: Stamps = {}
  if (request.packagesText !== undefined) {
    const time = Math.max(request.now, (request.stamps[PACKAGES]?.time ?? 0) + 1)
    const content = Buffer.from(packagesIndex(request, request.packagesText, time))
    files.set(PACKAGES, { kind: 'text', content, mtime: time })
    files.set(`${PACKAGES}.gz`, { kind: 'text', content: gzipSync(content), mtime: time })
    stamps[PACKAGES] = { time }
  }
  for (const repo of request.repos) {
    const path = `${repo.name}/metadata/timestamp.chk`
    checkMetadataDirectory(request.files, repo.name)
    const time = repoStamp(repo, request.stamps[path], request.now)
    files.set(path, { kind: 'text', content: Buffer.from(formatStamp(time) + '\n'), mtime: time })
    stamps[path] = { time, content: repo.digest }
  }
  return { files, stamps: { ...request.stamps, ...stamps } }
}

function packagesIndex(request: IndexRequest, text: string, time: number): string {
  const { header, stanzas } = parsePackages(text, `Packages of ${request.source}`)
  header.set('TIMESTAMP', String(time))
  if (request.uri === undefined) header.delete('URI')
  else header.set('URI', request.uri)
  for (const stanza of stanzas) {
    const path = packagePath(stanza)
    const file = request.files.get(`${PACKAGES_DIRECTORY}/${path}`)
    const replaced = request.replaced?.get(path)
    const size = replaced?.archivedSize ?? (file?.kind === 'object' ? file.size : undefined)
    checkPackage(stanza, path, size, request)
    if (file?.kind !== 'object') continue
    if (replaced !== undefined) replace(stanza, { SIZE: String(file.size), ...replaced.sums })
    stanza.set('MTIME', String(objectMtime(file.key)))
  }
  return formatPackages({ header, stanzas })
}

/** Only what the index says at all. */
function replace(stanza: Stanza, fields: Record<string, string>): void {
  for (const [name, value] of Object.entries(fields)) if (stanza.has(name)) stanza.set(name, value)
}

function checkPackage(stanza: Stanza, path: string, found: number | undefined, request: IndexRequest): void {
  const size = stanza.get('SIZE')
  const isSigned = request.replaced === undefined || request.replaced.has(path)
  if (found !== undefined && isSigned && (size === undefined || Number(size) === found)) return
  const why =
    found === undefined
      ? 'but it is not there'
      : isSigned
        ? `as ${size ?? '?'} bytes, but it has ${found}`
        : 'but that is no name of a package that could be signed'
  throw publishError(
    'PACKAGES_INCOMPLETE',
    `Packages of ${request.source} names ${path}, ${why}`,
    'clients would fail to install it, so it is not published: build again with --full, and see who else writes to PKGDIR',
  )
}

/**
 * Equal content keeps its stamp; other content gets a later one, even where its commit is older (a rollback). Where no
 * stamp is known, clients may have one that was lost here: it is hardly later than now.
 */
function repoStamp({ digest, commitTime }: RepoContent, last: Stamps[string] | undefined, now: number): number {
  if (last === undefined) return Math.max(now, commitTime ?? 0)
  if (last.content === digest) return last.time
  return Math.max(commitTime ?? now, last.time + 1)
}

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `%a, %d %b %Y %H:%M:%S +0000`, in English and UTC, as Portage parses it (TIMESTAMP_FORMAT of portage.const). */
function formatStamp(time: number): string {
  const date = new Date(time * 1000)
  const clock = date.toISOString().slice(11, 19)
  const day = String(date.getUTCDate()).padStart(2, '0')
  return `${weekdays[date.getUTCDay()] ?? ''}, ${day} ${months[date.getUTCMonth()] ?? ''} ${date.getUTCFullYear()} ${clock} +0000`
}

function checkMetadataDirectory(files: FileMap, repo: string): void {
  const path = `${repo}/metadata`
  const there = files.get(path)
  const stamp = files.get(`${path}/timestamp.chk`)
  if ((there === undefined || there.kind === 'directory') && stamp?.kind !== 'directory') return
  throw publishError(
    'REPO_INVALID',
    `${stamp?.kind === 'directory' ? `${path}/timestamp.chk` : path} of the ebuild repo is not what every sync needs it to be`,
    'metadata has to be a directory, and timestamp.chk in it no directory: mend it in the repository',
  )
}
