import { dirname } from 'node:path'
import { exists, makeDirectory, removeTree, rename } from './files.js'

/** Puts a directory into the place of another: whatever happens in between, one of the two is whole. */
export function replaceDirectory(from: string, to: string): void {
  const old = `${to}.old`
  makeDirectory(dirname(to))
  removeTree(old)
  if (exists(to)) rename(to, old)
  rename(from, to)
  removeTree(old)
}
