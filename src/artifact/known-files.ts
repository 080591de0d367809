import type { FileEntry } from '../model/manifest.js'
import type { Context } from '../model/report.js'
import { statusOf } from '../system/files.js'
import { sha256OfFile } from '../system/hash.js'
import { aborted } from '../system/process.js'
import type { PackBase } from './pack.js'

/**
 * The files of a directory that a base build has with the same path, content and executable bit, as entries that name
 * the build that carries them. None where one of those builds is gone: then everything has to be packed.
 */
export async function knownFiles(
  directory: string,
  paths: readonly string[],
  base: PackBase,
  context: Context,
): Promise<FileEntry[]> {
  const candidates = new Map(base.manifest.entries.map((entry) => [entry.path, entry]))
  const known: FileEntry[] = []
  for (const [index, path] of paths.entries()) {
    if (context.signal.aborted) throw aborted(`packing ${directory}`)
    context.report.progress(index, paths.length)
    const entry = candidates.get(path)
    if (entry?.type === 'file' && (await holds(`${directory}/${path}`, entry))) {
      known.push({ ...entry, origin: entry.origin ?? base.number })
    }
  }
  const lost = await firstLost(known, base)
  if (lost === undefined) return known
  context.report.warn(
    `build ${lost}, whose packages later builds name, is gone or soon will be: everything is packed again`,
  )
  return []
}

async function firstLost(entries: readonly FileEntry[], { originExists }: PackBase): Promise<number | undefined> {
  if (originExists === undefined) return undefined
  for (const origin of new Set(entries.map((entry) => entry.origin))) {
    if (origin !== undefined && !(await originExists(origin))) return origin
  }
  return undefined
}

async function holds(file: string, { size, executable, sha256 }: FileEntry): Promise<boolean> {
  const status = statusOf(file)
  if (status?.size !== size || ((status.mode & 0o111) !== 0) !== executable) return false
  return (await sha256OfFile(file)) === sha256
}
