import type { Entry, FileEntry } from '../model/manifest.js'
import { componentRule, leaves, pathRule, targetRule } from '../model/path-rule.js'
import { sha256, sha256Sum } from '../system/hash.js'
import { readPax } from './pax-records.js'
import type { Extension } from './pax-records.js'
import { BLOCK, decodeText, readHeader } from './tar-header.js'
import type { Header } from './tar-header.js'
import { defaultPolicy, refused } from './tar-policy.js'
import type { Policy } from './tar-policy.js'
import type { LargeFile, TarSink } from './tar-sink.js'

/** Files up to this size are held in memory and hashed at once. */
const WHOLE = 2 ** 20
const MAX_EXTENSION = 2 ** 16
const SETUID_SETGID = 0o6000
const EXECUTABLE = 0o111
const ZEROS = Buffer.alloc(BLOCK)

const refusedTypes: Record<string, string> = {
  '3': 'it is a character device',
  '4': 'it is a block device',
  '6': 'it is a FIFO',
  S: 'it is a sparse file',
}

interface Stream {
  entry: Omit<FileEntry, 'sha256'>
  remaining: number
  sum: ReturnType<typeof sha256Sum>
  sink: LargeFile
}

/**
 * Reads a tar archive under the unpack policy: whatever is not a plain tree of files, directories and links inside it
 * is refused with ARCHIVE_REFUSED, and the error names the entry and the rule. A push parser: bytes come in as they are read, entries go to the sink. It asks for blocks of a known length (a
 * header, a small file with its padding) and takes them out of the incoming chunk without a copy where it can.
 */
export class TarParser {
  private readonly policy: Policy
  private readonly entries: Entry[] = []
  private readonly seen = new Map<string, Entry>()
  /** path → depth */
  private readonly directories = new Map<string, number>([['', 0]])
  private wanted = BLOCK
  private receive: (block: Buffer) => void = this.header.bind(this)
  private gathered: Buffer | undefined
  private filled = 0
  private stream: Stream | undefined
  private extension: Extension | undefined
  private count = 0
  private bytes = 0
  private ended = false

  constructor(
    private readonly name: string,
    policy: Partial<Policy>,
    private readonly sink: TarSink,
  ) {
    this.policy = { ...defaultPolicy, ...policy }
  }

  push(chunk: Buffer): void {
    for (let at = 0; at < chunk.length;) {
      at = this.stream === undefined ? this.gather(chunk, at) : this.pass(this.stream, chunk, at)
    }
  }

  /** The input is over: everything was an archive, or it is refused. */
  end(): Entry[] {
    if (!this.ended || this.filled > 0) {
      throw this.refuse(this.entries.at(-1)?.path, 'the archive ends behind it without an end mark: it is cut off')
    }
    return this.entries
  }

  /** Nothing more will come. */
  abandon(): void {
    this.stream?.sink.abandon()
    this.stream = undefined
  }

  private gather(chunk: Buffer, at: number): number {
    const end = at + this.wanted - this.filled
    if (this.filled === 0 && end <= chunk.length) {
      this.receive(chunk.subarray(at, end))
      return end
    }
    this.gathered ??= Buffer.allocUnsafe(this.wanted)
    const copied = chunk.copy(this.gathered, this.filled, at, Math.min(end, chunk.length))
    this.filled += copied
    if (this.filled === this.wanted) {
      const block = this.gathered
      this.gathered = undefined
      this.filled = 0
      this.receive(block)
    }
    return at + copied
  }

  private want(length: number, receive: (block: Buffer) => void): void {
    this.wanted = length
    this.receive = receive
  }

  private readonly nextHeader = (): void => this.want(BLOCK, this.receiveHeader)
  private readonly receiveHeader = this.header.bind(this)

  private header(block: Buffer): void {
    if (block[0] === 0 && block.equals(ZEROS)) {
      this.want(BLOCK, (second) => this.endMark(second))
      return
    }
    const header = readHeader(block, (entry, rule) => this.refuse(entry, rule))
    if ('xgLK'.includes(header.type)) {
      this.beginExtension(header)
      return
    }
    const { path, link, size } = { ...header, ...this.extension }
    this.extension = undefined
    if (++this.count > this.policy.maxEntries) {
      throw this.refuse(path, `the archive has more than ${this.policy.maxEntries} entries`)
    }
    const setuid = (header.mode & SETUID_SETGID) !== 0
    if (setuid && !this.policy.attributes) throw this.refuse(path, 'it is setuid or setgid')
    this.nextHeader()
    const executable = (header.mode & EXECUTABLE) !== 0
    if (header.type === '0' || header.type === '\0') {
      this.file(this.accept(path), executable, size)
      return
    }
    if (size !== 0) throw this.refuse(path, 'it has content, but is no file')
    if (header.type === '5') {
      this.directory(path)
      return
    }
    if (header.type === '2') {
      this.symlink(this.accept(path), link)
      return
    }
    if (header.type === '1') {
      this.hardLink(this.accept(path), link)
      return
    }
    const type = JSON.stringify(header.type)
    throw this.refuse(path, refusedTypes[header.type] ?? `its type ${type} is neither file, directory nor link`)
  }

  private endMark(block: Buffer): void {
    if (!block.equals(ZEROS)) throw this.refuse(undefined, 'its end mark is broken')
    if (this.extension !== undefined) throw this.refuse(undefined, 'an extended header stands before the end mark')
    this.ended = true
    this.want(BLOCK, (more) => {
      if (!more.equals(ZEROS)) throw this.refuse(undefined, 'something follows its end mark')
    })
  }

  private beginExtension({ type, size, path }: Header): void {
    if (size === 0 || size > MAX_EXTENSION) throw this.refuse(path, 'it is an extended header of no sensible size')
    this.want(padded(size), (block) => {
      this.readExtension(type, block.subarray(0, size))
      this.nextHeader()
    })
  }

  private readExtension(type: string, bytes: Buffer): void {
    const refuse = (rule: string): Error => this.refuse(undefined, rule)
    if (type === 'g') {
      readPax(bytes, true, refuse)
      return
    }
    const added = type === 'x' ? readPax(bytes, false, refuse, this.policy.attributes) : longName(type, bytes, refuse)
    for (const key of Object.keys(added)) {
      if (this.extension && key in this.extension) throw refuse(`two extended headers set the ${key} of one entry`)
    }
    this.extension = { ...this.extension, ...added }
  }

  /** The entry's path as a manifest has it. */
  private accept(raw: string): string {
    const path = raw.startsWith('./') ? raw.slice(2) : raw
    const slash = path.lastIndexOf('/')
    const depth = this.directories.get(slash === -1 ? '' : path.slice(0, slash))
    const rule =
      path === '' || depth === undefined || depth >= 63 || path.length > 1000
        ? pathRule(path)
        : componentRule(path.slice(slash + 1))
    if (rule !== undefined) throw this.refuse(raw, rule)
    if (depth === undefined) throw this.refuse(raw, 'its parent is no directory of this archive')
    if (this.seen.has(path)) throw this.refuse(raw, 'the archive has it twice')
    return path
  }

  private add(entry: Entry): void {
    this.seen.set(entry.path, entry)
    this.entries.push(entry)
  }

  private directory(raw: string): void {
    if (raw === '.' || raw === './') return
    const path = this.accept(raw.endsWith('/') ? raw.slice(0, -1) : raw)
    this.directories.set(path, path.split('/').length)
    this.add({ type: 'directory', path })
    this.sink.directory(path)
  }

  private symlink(path: string, target: string): void {
    if (!this.policy.symlinks) throw this.refuse(path, 'it is a symlink, where there may be files only')
    const rule = targetRule(target)
    if (rule !== undefined) throw this.refuse(path, rule)
    if (leaves(path, target) && !this.policy.linkMayLeave(path, target)) {
      throw this.refuse(path, `it is a symlink to ${target}, which may lead out of the archive`)
    }
    this.add({ type: 'symlink', path, target })
    this.sink.symlink(path, target)
  }

  private hardLink(path: string, target: string): void {
    const original = this.seen.get(target.startsWith('./') ? target.slice(2) : target)
    if (original?.type !== 'file') {
      throw this.refuse(path, `it is a hard link to ${JSON.stringify(target)}, which is no file before it`)
    }
    this.countBytes(path, original.size)
    const entry = { ...original, path }
    this.add(entry)
    this.sink.duplicate(entry, original)
  }

  private file(path: string, executable: boolean, size: number): void {
    this.countBytes(path, size)
    const entry = { type: 'file' as const, path, executable, size }
    if (size === 0) this.whole(entry, ZEROS.subarray(0, 0))
    else if (size <= WHOLE) {
      this.want(padded(size), (block) => {
        this.whole(entry, block.subarray(0, size))
        this.nextHeader()
      })
    } else {
      this.stream = { entry, remaining: size, sum: sha256Sum(), sink: this.sink.largeFile(path, executable, size) }
    }
  }

  private whole(file: Omit<FileEntry, 'sha256'>, content: Buffer): void {
    const entry = { ...file, sha256: sha256(content) }
    this.add(entry)
    this.sink.file(entry, content)
  }

  private pass(stream: Stream, chunk: Buffer, at: number): number {
    const end = Math.min(chunk.length, at + stream.remaining)
    const part = chunk.subarray(at, end)
    stream.sum.update(part)
    stream.sink.write(part)
    stream.remaining -= part.length
    if (stream.remaining === 0) this.finish(stream)
    return end
  }

  private finish({ entry: file, sum, sink }: Stream): void {
    const entry = { ...file, sha256: sum.digest('hex') }
    const padding = padded(entry.size) - entry.size
    if (padding > 0) this.want(padding, this.nextHeader)
    this.add(entry)
    sink.end(entry)
    this.stream = undefined
  }

  private countBytes(path: string, size: number): void {
    const { maxFileSize, maxBytes } = this.policy
    if (size > maxFileSize) throw this.refuse(path, `it is larger than ${maxFileSize} bytes`)
    this.bytes += size
    if (this.bytes > maxBytes) throw this.refuse(path, `the archive's files are larger than ${maxBytes} bytes together`)
  }

  private refuse(entry: string | undefined, rule: string): Error {
    return refused(this.name, entry, rule)
  }
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK
}

/** Content of GNU's `L` (path) and `K` (target of a link): text that ends with NUL. */
function longName(type: string, bytes: Buffer, refuse: (rule: string) => Error): Extension {
  const nul = bytes.indexOf(0)
  const text = decodeText(nul === -1 ? bytes : bytes.subarray(0, nul))
  if (text === undefined) throw refuse('a long name is not valid UTF-8')
  return type === 'L' ? { path: text } : { link: text }
}
