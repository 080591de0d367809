import { TarParser } from '../../src/artifact/tar-parser.js'
import type { TarSink } from '../../src/artifact/tar-sink.js'
import type { Policy } from '../../src/artifact/tar-policy.js'
import { TreeswapError } from '../../src/model/errors.js'
import type { Entry } from '../../src/model/manifest.js'

/** What a sink was given: path → content, `-> target`, or undefined for a directory. */
export type Content = Map<string, string | undefined>

export function collector(): { sink: TarSink; content: Content; abandoned: string[] } {
  const content: Content = new Map()
  const abandoned: string[] = []
  const sink: TarSink = {
    directory: (path) => content.set(path, undefined),
    symlink: (path, target) => content.set(path, `-> ${target}`),
    file: (entry, bytes) => content.set(entry.path, bytes.toString('latin1')),
    largeFile: (path) => {
      const chunks: Buffer[] = []
      return {
        write: (chunk) => chunks.push(Buffer.from(chunk)),
        end: (entry) => content.set(entry.path, Buffer.concat(chunks).toString('latin1')),
        abandon: () => abandoned.push(path),
      }
    },
    duplicate: (entry, original) => content.set(entry.path, content.get(original.path)),
  }
  return { sink, content, abandoned }
}

/** @param piece bytes that arrive at a time */
export async function read(
  bytes: Buffer,
  { policy = {}, piece = bytes.length }: { policy?: Partial<Policy>; piece?: number } = {},
): Promise<{ entries: Entry[]; content: Content }> {
  const { sink, content } = collector()
  return { entries: await readTar(pieces(bytes, piece), sink, policy), content }
}

export async function readTar(
  input: AsyncIterable<Buffer>,
  sink: TarSink,
  policy: Partial<Policy> = {},
): Promise<Entry[]> {
  const parser = new TarParser('test.tar', policy, sink)
  try {
    for await (const chunk of input) parser.push(chunk)
    return parser.end()
  } catch (error) {
    parser.abandon()
    throw error
  }
}

export async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  await Promise.resolve()
  for (let at = 0; at < bytes.length; at += Math.max(1, size)) {
    yield bytes.subarray(at, at + Math.max(1, size))
  }
}

/** The coded error that `work` ends with. */
export async function failure(work: () => unknown): Promise<TreeswapError> {
  try {
    await work()
  } catch (error) {
    if (error instanceof TreeswapError) return error
    throw error
  }
  throw new Error('it was expected to fail')
}
