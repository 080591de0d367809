import { readPax } from '../artifact/pax-records.js'
import { BLOCK, readHeader } from '../artifact/tar-header.js'
import { close, open, read, readStream } from '../system/files.js'
import { aborted } from '../system/process.js'

/** A file in a binary package's container, by positions in it. */
export interface Member {
  /** without the directory that all lie in */
  name: string
  /** of its first header */
  start: number
  /** of its content */
  content: number
  size: number
  /** of what follows its padding */
  end: number
}

/** The tar archive that a binary package is (GLEP 78). */
export interface Container {
  /** `PF-BUILD_ID`: all files lie in it */
  directory: string
  /** in their order */
  members: Member[]
}

/** Makes the error for a package that is damaged, or none. */
export type Refuse = (why: string) => Error

/** A binary package's file. */
export interface PackageFile {
  path: string
  refuse: Refuse
  signal: AbortSignal
}

const MOST_MEMBERS = 64
const LONGEST_EXTENSION = 2 ** 16
const LARGEST_TEXT = 2 ** 20
const ZEROS = Buffer.alloc(BLOCK)

/**
 * Reads which files a container has, and holds its layout against what Portage accepts (gpkg.py, `_verify_binpkg`):
 * regular files in one directory, each there once, `gpkg-1` and `Manifest` among them.
 */
export function readContainer({ path, refuse }: PackageFile): Container {
  const file = open(path, 'r')
  try {
    return withLayout(readMembers(file, refuse), refuse)
  } finally {
    close(file)
  }
}

/** A small file of a container, as text. */
export async function readMember(file: PackageFile, member: Member): Promise<string> {
  if (member.size > LARGEST_TEXT) throw file.refuse(`${member.name} is larger than it can be`)
  const chunks: Buffer[] = []
  for await (const chunk of contentOf(file, member)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** The bytes of a file of a container. @throws ABORTED */
export function contentOf(file: PackageFile, { content, size }: Member): AsyncIterable<Buffer> {
  return bytesOf(file, content, content + size)
}

/** The bytes of a part of a package. @throws ABORTED */
export async function* bytesOf(file: PackageFile, start: number, end: number): AsyncIterable<Buffer> {
  if (start === end) return
  let left = end - start
  for await (const chunk of readStream(file.path, { start, end: end - 1, highWaterMark: 1 << 20 })) {
    if (file.signal.aborted) throw aborted('signing')
    left -= (chunk as Buffer).length
    yield chunk as Buffer
  }
  if (left > 0) throw file.refuse(CUT_OFF)
}

const CUT_OFF = 'it is cut off'

function readMembers(file: number, refuse: Refuse): [path: string, Member][] {
  const members: [path: string, Member][] = []
  let start = 0
  let long: { path?: string; size?: number } = {}
  for (let at = 0; ;) {
    const block = readBlocks(file, at, BLOCK, refuse)
    if (block.equals(ZEROS)) break
    const header = readHeader(block, (entry, rule) => refuse(entry === undefined ? rule : `${entry}: ${rule}`))
    const content = at + BLOCK
    if (header.type === 'x' || header.type === 'L') {
      if (header.size > LONGEST_EXTENSION) throw refuse('an extended header is of no sensible size')
      const bytes = readBlocks(file, content, header.size, refuse)
      const added =
        header.type === 'x' ? readPax(bytes, false, refuse) : { path: bytes.toString('utf8').split('\0')[0] ?? '' }
      long = { ...long, ...added }
      at = content + padded(header.size)
      continue
    }
    const { path, size } = { ...header, ...long }
    if (header.type !== '0' && header.type !== '\0') throw refuse(`${path} is no regular file`)
    const end = content + padded(size)
    members.push([path, { name: path.slice(path.indexOf('/') + 1), start, content, size, end }])
    if (members.length > MOST_MEMBERS) throw refuse(`it has more than ${MOST_MEMBERS} files`)
    long = {}
    at = start = end
  }
  return members
}

function readBlocks(file: number, at: number, length: number, refuse: Refuse): Buffer {
  const bytes = Buffer.alloc(length)
  for (let filled = 0; filled < length;) {
    const got = read(file, bytes, filled, length - filled, at + filled)
    if (got === 0) throw refuse(CUT_OFF)
    filled += got
  }
  return bytes
}

function withLayout(files: readonly [path: string, Member][], refuse: Refuse): Container {
  const directory = files[0]?.[0].split('/')[0] ?? ''
  const names = new Set<string>()
  for (const [path, { name }] of files) {
    if (path !== `${directory}/${name}` || directory === '' || name === '' || name.includes('/')) {
      throw refuse(`${path} does not lie in the one directory that all files lie in`)
    }
    if (names.has(name)) throw refuse(`it has ${name} twice`)
    names.add(name)
  }
  for (const name of [VERSION, MANIFEST]) if (!names.has(name)) throw refuse(`it has no ${name}`)
  return { directory, members: files.map(([, member]) => member) }
}

/** Names the format; the one file that is not signed. */
export const VERSION = 'gpkg-1'
export const MANIFEST = 'Manifest'

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK
}
