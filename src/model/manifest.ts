import { infrastructureError } from './errors.js'

/** One entry of a pack. Paths are relative to the pack's top, `/`-separated, without a leading `./`. */
export type Entry = FileEntry | DirectoryEntry | SymlinkEntry

export interface FileEntry {
  type: 'file'
  path: string
  executable: boolean
  /** bytes */
  size: number
  sha256: string
  /** number of the build whose pack carries the bytes; absent: this build's */
  origin?: number
}

interface DirectoryEntry {
  type: 'directory'
  path: string
}

interface SymlinkEntry {
  type: 'symlink'
  path: string
  target: string
}

/** Everything a pack consists of, in order of path. */
export interface Manifest {
  entries: Entry[]
}

const HEADER = { schema: 1, kind: 'treeswap-manifest' }

/** One JSON document a line: a header, then the entries sorted by path. Equal manifests give equal bytes. */
export function encodeManifest({ entries }: Manifest): string {
  const sorted = entries.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))
  return [HEADER, ...sorted.map(encodeEntry)].map((line) => JSON.stringify(line) + '\n').join('')
}

function encodeEntry(entry: Entry): Record<string, unknown> {
  if (entry.type === 'directory') return { d: entry.path }
  if (entry.type === 'symlink') return { l: entry.path, to: entry.target }
  const { path, executable, size, sha256, origin } = entry
  return { f: path, ...(executable && { x: 1 }), size, sha256, ...(origin !== undefined && { origin }) }
}

/**
 * @param source named in errors
 * @throws MANIFEST_INVALID
 */
export function decodeManifest(text: string, source: string): Manifest {
  const lines = text.split('\n')
  if (lines.pop() !== '') throw invalid(source, 'it is cut off')
  const header = parseLine(lines[0] ?? '', source, 1)
  if (header.kind !== HEADER.kind || header.schema !== HEADER.schema) throw invalid(source, 'its header is not known')
  const seen = new Set<string>()
  const entries = lines.slice(1).map((line, index) => {
    const entry = decodeEntry(parseLine(line, source, index + 2))
    if (entry === undefined) throw invalid(source, `line ${index + 2} is no entry`)
    if (seen.has(entry.path)) throw invalid(source, `line ${index + 2} repeats a path`)
    seen.add(entry.path)
    return entry
  })
  return { entries }
}

function parseLine(line: string, source: string, number: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // falls through to the error that names the line
  }
  throw invalid(source, `line ${number} is not JSON`)
}

function decodeEntry(line: Record<string, unknown>): Entry | undefined {
  const { f, d, l, to, x, size, sha256, origin } = line
  if (typeof d === 'string' && safePath(d)) return { type: 'directory', path: d }
  if (typeof l === 'string' && safePath(l) && typeof to === 'string' && to !== '' && !to.includes('\0')) {
    return { type: 'symlink', path: l, target: to }
  }
  if (typeof f !== 'string' || !safePath(f)) return undefined
  if (!Number.isSafeInteger(size) || (size as number) < 0) return undefined
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return undefined
  if (origin !== undefined && !(Number.isSafeInteger(origin) && (origin as number) > 0)) return undefined
  return {
    type: 'file',
    path: f,
    executable: x === 1,
    size: size as number,
    sha256,
    ...(origin !== undefined && { origin: origin as number }),
  }
}

/** Whether a path is relative, normal and free of control characters, within the limits of common file systems. */
function safePath(path: string): boolean {
  if (path.length === 0 || Buffer.byteLength(path) > 4000) return false
  // eslint-disable-next-line no-control-regex -- these are what is looked for
  if (/[\u0000-\u001f\u007f\ufffd]/.test(path)) return false
  const parts = path.split('/')
  return (
    parts.length <= 64 &&
    parts.every((part) => part !== '' && part !== '.' && part !== '..' && Buffer.byteLength(part) <= 255)
  )
}

function invalid(source: string, why: string): Error {
  return infrastructureError(
    'MANIFEST_INVALID',
    `the manifest ${source} cannot be read: ${why}`,
    'it was damaged after it was written, or written by a newer treeswap: fetch it again, or build with --full',
  )
}
