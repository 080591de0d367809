import type { FileEntry } from '../model/manifest.js'

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
 * counts only once the parser has ended: an archive can be refused at its last byte.
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

function nothing(): void {
  // content is not wanted
}
