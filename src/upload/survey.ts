import type { Report } from '../model/report.js'
import { alreadyThere } from './compare.js'
import { isIndex } from './local-files.js'
import type { LocalFile } from './local-files.js'
import { readManifest } from './manifest.js'
import type { Manifest, UploadedFile } from './manifest.js'
import { pathTaken, remoteTree } from './remote-tree.js'
import type { RemoteTree } from './remote-tree.js'
import type { Remote, RemoteStatus } from './remote.js'

/** The files of a generation, here. */
export interface Source {
  /** absolute */
  directory: string
  /** as localFiles has them */
  files: readonly LocalFile[]
}

/** How a directory of a host differs from a generation. */
export interface Survey {
  manifest: Manifest
  tree: RemoteTree
  /** what need not be sent */
  there: Map<string, UploadedFile>
  missing: LocalFile[]
  /** what uploads brought and the generation has no more, databases first */
  departed: string[]
}

/**
 * Compares what is there with what has to be, changing nothing.
 * @param directory absolute, on the host
 * @throws UPLOAD_PATH_TAKEN, and what Remote throws
 */
export async function surveyOf(remote: Remote, directory: string, source: Source, report: Report): Promise<Survey> {
  const manifest = await readManifest(remote, directory, report)
  const brought = new Set([...manifest.files.keys(), ...manifest.sending.keys()])
  const tree = await remoteTree(remote, directory, [...source.files.map(({ path }) => path), ...brought])
  const there = new Map<string, UploadedFile>()
  const missing: LocalFile[] = []
  for (const file of source.files) {
    const found = tree.entries.get(file.path)
    if (found?.kind === 'directory') throw pathTaken(`${directory}/${file.path}`)
    const same = await alreadyThere(source.directory, file, found, manifest.files.get(file.path))
    if (same === undefined) missing.push(file)
    else there.set(file.path, same)
    brought.delete(file.path)
  }
  const departed = [...brought].filter((path) => isAsBrought(path, manifest, tree.entries.get(path)))
  departed.sort((a, b) => Number(isIndex(b)) - Number(isIndex(a)) || (a < b ? -1 : 1))
  return { manifest, tree, there, missing, departed }
}

/** What somebody else has put in the place of an uploaded file is theirs. */
export function isAsBrought(path: string, manifest: Manifest, found: RemoteStatus | undefined): boolean {
  if (found?.kind !== 'file') return false
  const { files, sending } = manifest
  const [known, sent] = [files.get(path), sending.get(path)]
  return (
    (known?.size === found.size && known.remoteMtime === found.mtime) ||
    (sent?.size === found.size && sent.mtime === found.mtime)
  )
}
