import { pipeline } from 'node:stream/promises'
import type { Readable, Writable } from 'node:stream'
import { configurationError, infrastructureError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { type Child, type ChildOptions, startChild } from '../system/child.js'
import {
  close,
  errorCode,
  isDirectory,
  open,
  read,
  readStream,
  targetStatusOf,
  writeKernelFile,
} from '../system/files.js'
import { aborted } from '../system/process.js'
import type { CreateRequest } from './requests.js'
import { RANGE } from './uid-ranges.js'

/** By what a file begins with, not by its name. */
const compressions: { magic: Buffer; program: string }[] = [
  { magic: Buffer.from('fd377a585a00', 'hex'), program: 'xz' },
  { magic: Buffer.from('28b52ffd', 'hex'), program: 'zstd' },
  { magic: Buffer.from('425a68', 'hex'), program: 'bzip2' },
  { magic: Buffer.from('1f8b', 'hex'), program: 'gzip' },
]

/** The host's own state and device nodes, which nspawn provides and a user namespace cannot make. */
const LEFT_OUT = [
  '--anchored',
  ...['dev', 'proc', 'sys', 'run'].flatMap((name) => [`--exclude=./${name}/*`, `--exclude=${name}/*`]),
]
/** Set by the source host's policy, refused inside a user namespace. */
const XATTRS = ['--xattrs', '--xattrs-include=*', '--xattrs-exclude=security.selinux', '--xattrs-exclude=trusted.*']

/**
 * Joins a user namespace that has only the root's uids, then becomes its root: owners, setuid bits and file
 * capabilities come out shifted, and whatever the archive says, nothing outside the uid range can be made.
 * The maps are written by us in between, because they need root of the host.
 */
const SHIFT = `echo ready >&3
read -r go <&3
exec 3>&-
exec "$@"
`

/**
 * Fills an empty directory, which belongs to `uidBase`, with a root file system.
 * @throws CHROOT_SOURCE_INVALID, DISK, PROGRAM_MISSING, ABORTED
 */
export async function fillLayer(
  from: NonNullable<CreateRequest['from']>,
  directory: string,
  uidBase: number,
  context: Context,
): Promise<void> {
  const children: Child[] = []
  const stop = (): void => children.forEach((child) => child.kill())
  context.signal.addEventListener('abort', stop)
  try {
    const extractor = await startExtractor(directory, uidBase)
    children.push(extractor)
    const messages = await ('tarball' in from
      ? feedTarball(from.tarball, extractor, children, context)
      : feedDirectory(from.directory, extractor, children))
    const name = 'tarball' in from ? from.tarball : from.directory
    if (context.signal.aborted) throw aborted(`the creation from ${name}`)
    if (messages !== '') throw sourceInvalid(name, messages)
    if (!isDirectory(`${directory}/usr`)) throw sourceInvalid(name, 'there is no /usr in it')
  } finally {
    stop()
    await Promise.all(children.map((child) => child.ended))
    context.signal.removeEventListener('abort', stop)
  }
}

async function feedTarball(path: string, extractor: Child, children: Child[], context: Context): Promise<string> {
  const total = targetStatusOf(path)?.size
  if (total === undefined) throw sourceInvalid(path, 'there is no such file')
  const program = compressionOf(path)
  const decompressor =
    program === undefined ? undefined : await startChild(program, ['--decompress', '--stdout'], plain)
  if (decompressor) {
    children.push(decompressor)
    decompressor.control.resume()
  }
  let done = 0
  async function* counted(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of source) {
      context.report.progress((done += chunk.length), total ?? 0)
      yield chunk
    }
  }
  return outcome(children, [
    pipeline(readStream(path, { highWaterMark: 1 << 20 }), counted, writable(decompressor ?? extractor)),
    ...(decompressor ? [pipeline(readable(decompressor), writable(extractor))] : []),
  ])
}

async function feedDirectory(path: string, extractor: Child, children: Child[]): Promise<string> {
  if (!isDirectory(path)) throw sourceInvalid(path, 'there is no such directory')
  const args = ['--create', '--file=-', '--numeric-owner', ...XATTRS, `--directory=${path}`, ...LEFT_OUT, '.']
  const packer = await startChild('tar', args, { ...plain, input: 'ignore' })
  children.push(packer)
  packer.control.resume()
  return outcome(children, [pipeline(readable(packer), writable(extractor))])
}

async function startExtractor(directory: string, uidBase: number): Promise<Child> {
  const child = await startChild(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'unshare', '--user', '--keep-caps', 'sh', '-c', SHIFT, 'treeswap-shift'],
      ...['setpriv', '--reuid', '0', '--regid', '0', '--clear-groups'],
      ...['tar', '--extract', '--file=-', '--numeric-owner', '--same-owner', '--preserve-permissions', ...XATTRS],
      ...['--anchored', ...LEFT_OUT],
    ],
    { ...plain, cwd: directory },
  )
  child.output?.resume()
  await new Promise<void>((resolve) => {
    child.control.once('data', () => {
      for (const map of ['uid_map', 'gid_map']) writeKernelFile(`/proc/${child.pid}/${map}`, `0 ${uidBase} ${RANGE}\n`)
      child.control.write('go\n')
      resolve()
    })
    // it could not begin: its exit code and messages tell
    child.control.once('close', resolve)
  })
  child.control.resume()
  return child
}

/**
 * Waits for all children, the extractor first in the list.
 * @returns what they complained about; empty when all went well
 */
async function outcome(children: readonly Child[], transfers: readonly Promise<void>[]): Promise<string> {
  const messages = children.map((child) => lastLinesOf(child.errors))
  const moved = await Promise.allSettled(transfers)
  const ends = await Promise.all(children.map((child) => child.ended))
  const [extracted] = ends
  // tar stops reading at the end mark, so whoever writes to it may meet a broken pipe though all went well
  const early = extracted?.exitCode === 0
  const failed = ends.map(({ exitCode, signal }) => exitCode !== 0 && !(early && signal === 'SIGPIPE'))
  const texts = (await Promise.all(messages)).filter((text, index) => failed[index] && text !== '')
  if (texts.length > 0) return texts.join('; ')
  if (failed.some(Boolean)) return 'a program that unpacks it was killed'
  const [broken] = moved
    .flatMap((each): unknown[] => (each.status === 'rejected' ? [each.reason] : []))
    .filter((reason) => !brokenPipe.has(errorCode(reason) ?? ''))
  return broken === undefined ? '' : `it could not be read to its end (${errorCode(broken) ?? 'stream error'})`
}

const brokenPipe = new Set(['EPIPE', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'])

async function lastLinesOf(stream: Readable | null): Promise<string> {
  let text = ''
  try {
    for await (const chunk of stream ?? []) text = (text + String(chunk)).slice(-2000)
  } catch {
    // what was read until then has to do
  }
  return text.trim().split('\n').slice(-3).join(' | ')
}

function compressionOf(path: string): string | undefined {
  const start = Buffer.alloc(6)
  const file = open(path, 'r')
  try {
    read(file, start, 0, start.length, 0)
  } finally {
    close(file)
  }
  return compressions.find(({ magic }) => start.subarray(0, magic.length).equals(magic))?.program
}

function readable({ output }: Child): Readable {
  if (output === null) throw new Error('not started with a pipe')
  return output
}

function writable({ input }: Child): Writable {
  if (input === null) throw new Error('not started with a pipe')
  return input
}

const plain: ChildOptions = {
  env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  input: 'pipe',
  output: 'pipe',
}

function sourceInvalid(name: string, why: string): Error {
  if (why.includes('No space left on device')) {
    return infrastructureError('DISK', `the chroot could not be made from ${name}: ${why}`, 'make room and try again')
  }
  return configurationError(
    'CHROOT_SOURCE_INVALID',
    `no chroot can be made from ${name}: ${why}`,
    'name a stage3 tarball (.tar, .tar.xz, .tar.zst, .tar.bz2, .tar.gz) or the directory of a root file system',
  )
}
