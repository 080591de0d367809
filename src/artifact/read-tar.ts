import type { Entry, FileEntry } from '../model/manifest.js'
import { TarParser } from './tar-parser.js'
import type { Policy } from './tar-policy.js'

/** A file larger than the parser holds in memory, while it is being read. */
export interface LargeFile {
  /** `chunk` may be reused after the call: copy what has to stay */
  write(chunk: Buffer): void
  end(entry: FileEntry): void
  /** the archive was refused in the middle of this file */
  abandon(): void
}

/**
 * Gets every entry as soon as it is read, in the archive's order, parents first; called synchronously.
 * Paths are safe: relative, normal, unique, every parent a directory that was announced before. What a sink was given
 * counts only once readTar has returned: an archive can be refused at its last byte.
 */
export interface TarSink {
  directory(path: string): void
  /** `target` is to be stored, never followed */
  symlink(path: string, target: string): void
  /** a whole file of up to 1 MiB; `content` may be reused after the call */
  file(entry: FileEntry, content: Buffer): void
  /** a file above 1 MiB */
  largeFile(path: string, executable: boolean, size: number): LargeFile
  /** a hard link: `entry` has the content and mode of `original`, which came before */
  duplicate(entry: FileEntry, original: FileEntry): void
}

/** For a caller that wants nothing but the entries. */
export const ignoreContent: TarSink = {
  directory: nothing,
  symlink: nothing,
  file: nothing,
  largeFile: () => ({ write: nothing, end: nothing, abandon: nothing }),
  duplicate: nothing,
}

/**
 * Reads a tar archive to its end under the unpack policy: whatever is not a plain tree of files, directories and
 * links inside it is refused, and the error names the entry and the rule.
 * @param options.name the archive, in errors
 * @returns its entries in the archive's order, files with the sha256 of what was read
 * @throws ARCHIVE_REFUSED, and whatever `input` and `sink` throw
 */
export async function readTar(
  input: AsyncIterable<Buffer>,
  options: { name: string; policy?: Partial<Policy> },
  sink: TarSink,
): Promise<Entry[]> {
  const parser = new TarParser(options.name, options.policy ?? {}, sink)
  try {
    for await (const chunk of input) parser.push(chunk)
    return parser.end()
  } catch (error) {
    parser.abandon()
    throw error
  }
}

function nothing(): void {
  // content is not wanted
}
