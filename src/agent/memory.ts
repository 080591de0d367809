import { join } from 'node:path'
import type * as z from 'zod'
import { removeTree } from '../system/files.js'
import { readStateFile, writeStateFile } from './state-file.js'

/** What is remembered of trees, by their names; a Map forgets it with the process. */
export interface Memory<T> {
  get(name: string): T | undefined
  set(name: string, value: T): unknown
  delete(name: string): unknown
}

/**
 * A memory of files, one for each tree. Whoever uses it holds a lock on runs of that tree.
 * @param recalls whether what earlier processes set counts; what is set in any case is there for later ones
 */
export function fileMemory<T extends object>(directory: string, schema: z.ZodType<T>, recalls: boolean): Memory<T> {
  const own = new Map<string, T>()
  const fileOf = (name: string): string => join(directory, `${name}.json`)
  return {
    get: (name) => own.get(name) ?? (recalls ? readStateFile(fileOf(name), schema) : undefined),
    set: (name, value) => {
      own.set(name, value)
      writeStateFile(fileOf(name), value)
    },
    delete: (name) => {
      own.delete(name)
      removeTree(fileOf(name))
    },
  }
}
