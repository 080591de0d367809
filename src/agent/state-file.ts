import { dirname } from 'node:path'
import type * as z from 'zod'
import { makeDirectory, readTextIfThere, writeAtomically } from '../system/files.js'

/**
 * Reads a file of JSON on which nothing depends but what is told or tried again: one that is damaged, or was written by
 * another treeswap, counts for none.
 */
export function readStateFile<T extends z.ZodType>(path: string, schema: T): z.infer<T> | undefined {
  return schema.safeParse(parsed(readTextIfThere(path))).data
}

/** Replaces it as one step. The caller holds a lock on it. @throws what the disk does */
export function writeStateFile(path: string, document: object): void {
  makeDirectory(dirname(path))
  writeAtomically(path, JSON.stringify(document, undefined, 2) + '\n')
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null')
  } catch {
    return undefined
  }
}
