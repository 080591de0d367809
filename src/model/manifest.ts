import { publishError } from './errors.js'
import { pathRule, targetRule } from './path-rule.js'

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

/** Bytes of one line: longest path and target, every character escaped. */
const MAX_LINE = 2 ** 15
const NEWLINE = 0x0a

/** Reads a manifest's text as it comes, so that a hostile one is refused before it fills the memory. */
export class ManifestDecoder {
  private readonly entries: Entry[] = []
  private readonly seen = new Set<string>()
  private rest = Buffer.alloc(0)
  private lines = 0

  /** @param source named in errors */
  constructor(
    private readonly source: string,
    private readonly maxEntries: number,
  ) {}

  /** @throws MANIFEST_INVALID */
  push(chunk: Buffer): void {
    const end = chunk.lastIndexOf(NEWLINE)
    if (end === -1) {
      this.rest = Buffer.concat([this.rest, chunk])
    } else {
      const whole = Buffer.concat([this.rest, chunk.subarray(0, end)])
      this.rest = Buffer.from(chunk.subarray(end + 1))
      for (const line of whole.toString('utf8').split('\n')) this.line(line)
    }
    if (this.rest.length > MAX_LINE) throw this.invalid(`line ${this.lines + 1} is too long`)
  }

  /** @throws MANIFEST_INVALID */
  end(): Manifest {
    if (this.lines === 0 || this.rest.length > 0) throw this.invalid('it is cut off')
    return { entries: this.entries }
  }

  private line(text: string): void {
    const number = ++this.lines
    if (text.length > MAX_LINE) throw this.invalid(`line ${number} is too long`)
    const line = parseLine(text)
    if (line === undefined) throw this.invalid(`line ${number} is not JSON`)
    if (number === 1) {
      if (line.kind !== HEADER.kind || line.schema !== HEADER.schema) throw this.invalid('its header is not known')
      return
    }
    if (this.entries.length === this.maxEntries) throw this.invalid(`it has more than ${this.maxEntries} entries`)
    const entry = decodeEntry(line)
    if (entry === undefined) throw this.invalid(`line ${number} is no entry`)
    if (this.seen.has(entry.path)) throw this.invalid(`line ${number} repeats a path`)
    this.seen.add(entry.path)
    this.entries.push(entry)
  }

  private invalid(why: string): Error {
    return invalidManifest(this.source, why)
  }
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function decodeEntry(line: Record<string, unknown>): Entry | undefined {
  const { f, d, l, to, x, size, sha256, origin } = line
  if (typeof d === 'string' && safePath(d)) return { type: 'directory', path: d }
  if (typeof l === 'string' && safePath(l) && typeof to === 'string' && targetRule(to) === undefined) {
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

function safePath(path: string): boolean {
  return pathRule(path) === undefined
}

/** Its digest is checked before it is read, so no further try will find another one. */
export function invalidManifest(source: string, why: string, cause?: unknown): Error {
  return publishError(
    'MANIFEST_INVALID',
    `the manifest ${source} cannot be taken over: ${why}`,
    'this treeswap makes no such manifest: see what wrote it (a newer one?), then build again with --full',
    cause,
  )
}
