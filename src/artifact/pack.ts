import type { PassThrough } from 'node:stream'
import type { Pack, Role } from '../model/build.js'
import { configurationError, infrastructureError } from '../model/errors.js'
import type { Entry, Manifest } from '../model/manifest.js'
import { leaves, targetRule } from '../model/path-rule.js'
import type { Context } from '../model/report.js'
import { explainDiskError, readLink, removeTree, targetStatusOf } from '../system/files.js'
import { runAny } from '../system/process.js'
import { HashedFile } from './hashed-file.js'
import { knownFiles } from './known-files.js'
import { writeManifest } from './manifest-file.js'
import { TarParser } from './tar-parser.js'
import { policyOf, refused, unpackedLimit } from './tar-policy.js'
import { ignoreContent } from './tar-sink.js'
import type { TarSink } from './tar-sink.js'
import { together } from './together.js'
import { isVersionControl, walk } from './walk.js'
import type { Found } from './walk.js'
import { channel, compress, feed, forEachChunk } from './zstd.js'

/** A build whose files may be named instead of packed. */
export interface PackBase {
  number: number
  /** of its pack of the same name */
  manifest: Manifest
  /** whether the build lies, and will lie, where this artifact will be read from; where one origin does not, all is packed */
  originExists?: (number: number) => Promise<boolean>
}

export interface PackRequest {
  name: string
  role: Role
  /** what is packed; it is only read */
  directory: string
  /** directory that gets NAME.tar[.zst] and NAME.manifest.zst */
  output: string
  /** role packages only: files that it has with the same path and content are listed with their origin */
  base?: PackBase
}

/** Nothing of the caller's locale or habits shows in the bytes. */
const ENVIRONMENT = ['-u', 'TAR_OPTIONS', '-u', 'POSIXLY_CORRECT', 'LC_ALL=C']

/** What would differ between two checkouts of the same content is pinned (manual of GNU tar, "Reproducibility"). */
const TAR = [
  '--create',
  '--file=-',
  '--format=posix',
  '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
  '--mtime=@0',
  '--owner=0',
  '--group=0',
  '--numeric-owner',
  '--mode=u=rwX,go=rX,a-s,a-t',
  '--hard-dereference',
  '--no-recursion',
  '--null',
  '--no-unquote',
  '--verbatim-files-from',
  '--files-from=-',
]

/**
 * Packs a directory: same content, same bytes, whatever the times, owners, modes and order on disk. What is written
 * obeys the policy it will be read under. On an error neither file is left.
 * @throws PACK_INPUT, PACK_FAILED, ARCHIVE_REFUSED, DISK, ABORTED
 */
export async function packDirectory(
  request: PackRequest,
  context: Context,
): Promise<{ pack: Pack; manifest: Manifest }> {
  const { name, role, directory, output, base } = request
  if (!targetStatusOf(directory)?.isDirectory()) {
    throw configurationError('PACK_INPUT', `${directory} is no directory`, 'name the directory that is to be packed')
  }
  const present = await walk(directory, (name, path) => isLeftOut(role, name, path), context.signal)
  const found = role === 'ebuild-repo' ? withoutStrayLinks(directory, present, context) : present
  const files = found.filter(({ type }) => type === 'file').map(({ path }) => path)
  const known = base === undefined || role !== 'packages' ? [] : await knownFiles(directory, files, base, context)
  const left = new Set(known.map(({ path }) => path))
  const paths = found.map(({ path }) => path).filter((path) => !left.has(path))
  const file = role === 'packages' ? `${name}.tar` : `${name}.tar.zst`
  const manifestFile = `${name}.manifest.zst`
  try {
    const { entries, ...written } = await writePack(request, paths, `${output}/${file}`, context)
    const manifest = { entries: [...entries, ...known].sort((a, b) => (a.path < b.path ? -1 : 1)) }
    const digest = await writeManifest(`${output}/${manifestFile}`, manifest, context.signal)
    return { pack: { name, role, file, ...written, manifest: { file: manifestFile, ...digest } }, manifest }
  } catch (error) {
    removeTree(`${output}/${file}`)
    removeTree(`${output}/${manifestFile}`)
    throw explainDiskError(error, output)
  }
}

/** @throws BASE_NOT_EARLIER */
export function checkBase(tree: string, number: number, base: PackBase | undefined): void {
  if (base === undefined || base.number < number) return
  throw configurationError(
    'BASE_NOT_EARLIER',
    `build ${base.number} of ${tree} cannot be the base of build ${number}`,
    'name an earlier build as base, or pack without one',
  )
}

/** What a checkout or a PKGDIR holds beside its content: Packages.gz is written at every publish. */
function isLeftOut(role: Role, name: string, path: string): boolean {
  if (role === 'ebuild-repo') return isVersionControl(name)
  return role === 'packages' && (path === 'Packages.gz' || name.endsWith('.portage_lockfile'))
}

/**
 * Some repositories hold symlinks that lead out of them, into a place on their author's disk. No client could follow
 * them, nobody who packs can mend them, and everything else is good.
 */
function withoutStrayLinks(directory: string, found: Found[], { report }: Context): Found[] {
  return found.filter(({ type, path }) => {
    if (type !== 'symlink') return true
    const target = readLink(`${directory}/${path}`)
    if (targetRule(target) === undefined && !leaves(path, target)) return true
    report.warn(`${directory}/${path} is a symlink to ${JSON.stringify(target)}, which may lead out of it: left out`)
    return false
  })
}

/** tar → policy and manifest → zstd, unless the content is compressed already → file. */
async function writePack(
  { role, directory }: PackRequest,
  paths: readonly string[],
  target: string,
  context: Context,
): Promise<{ entries: Entry[]; size: number; sha256: string }> {
  const parser = new TarParser(directory, policyOf(role), counting(paths.length, context))
  const output = new HashedFile(target)
  let unpacked = 0
  try {
    await together(`packing ${directory}`, context.signal, (signal) => {
      const archive = channel(signal)
      const tar = runTar(directory, paths, archive, signal)
      const inspect = (chunk: Buffer): void => {
        unpacked += chunk.length
        parser.push(chunk)
      }
      if (target.endsWith('.tar')) {
        const write = forEachChunk(archive, (chunk) => {
          inspect(chunk)
          output.write(chunk)
        })
        return [tar, write]
      }
      const inspected = channel(signal)
      const pass = forEachChunk(archive, async (chunk) => {
        inspect(chunk)
        await feed(inspected, chunk, signal)
      }).then(() => inspected.end())
      return [tar, pass, compress(inspected, (chunk) => output.write(chunk), signal)]
    })
  } catch (error) {
    output.close()
    throw error
  }
  const written = output.close()
  if (unpacked > unpackedLimit(written.size)) {
    throw refused(directory, undefined, 'it compresses so well that readers would take it for a bomb')
  }
  return { entries: parser.end(), ...written }
}

async function runTar(
  directory: string,
  paths: readonly string[],
  output: PassThrough,
  signal: AbortSignal,
): Promise<void> {
  const { exitCode, stderr } = await runAny('env', [...ENVIRONMENT, 'tar', `--directory=${directory}`, ...TAR], {
    input: paths.map((path) => `${path}\0`).join(''),
    output,
    signal,
  })
  if (exitCode === 0) return
  throw infrastructureError(
    'PACK_FAILED',
    `${directory} could not be packed: ${stderr.trim().split('\n').slice(0, 3).join(' | ')}`,
    'see that everything in it is readable and nothing changes it meanwhile, then run the command again',
  )
}

function counting(total: number, { report }: Context): TarSink {
  let done = 0
  const count = (): void => {
    if (++done % 256 === 0 || done === total) report.progress(done, total)
  }
  return {
    ...ignoreContent,
    directory: count,
    symlink: count,
    file: count,
    largeFile: () => ({ write: () => undefined, end: count, abandon: () => undefined }),
  }
}
