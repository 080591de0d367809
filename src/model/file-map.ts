import type { ObjectKey } from './object-key.js'

/** What one path of a generation is made from. */
export type Source =
  | { kind: 'object'; key: ObjectKey; size: number }
  | { kind: 'symlink'; target: string }
  /** an index file, written fresh; mtime in seconds since 1970 */
  | { kind: 'text'; content: Buffer; mtime: number }
  /** needed only for directories that hold nothing */
  | { kind: 'directory' }

/** A whole generation: path relative to its top → where the content comes from. Parents are implied. */
export type FileMap = Map<string, Source>
