import { join } from 'node:path'
import type { PackageRecord } from '../model/pacman-package.js'
import { errorCode, makeDirectory, readTextIfThere, removeTree, writeNew } from '../system/files.js'
import { sha256 } from '../system/hash.js'
import { decodeRecord, encodeRecord } from './record-text.js'

/**
 * The record of a package file, from a directory where it lies by the file's sha256; else it is read, and kept there.
 * What lies there may be removed at any time.
 */
export async function cachedRecord(
  cache: string,
  digest: string,
  read: () => Promise<PackageRecord>,
): Promise<PackageRecord> {
  const path = join(cache, digest)
  const known = readCached(path)
  if (known !== undefined) return known
  const record = await read()
  makeDirectory(cache)
  keep(path, record)
  return record
}

/** Its first line is the sha256 of the rest: what a power cut or a disk did to it can be told. */
function readCached(path: string): PackageRecord | undefined {
  const stored = readTextIfThere(path)
  if (stored === undefined) return undefined
  const text = stored.slice(65)
  const record = stored.slice(0, 65) === `${sha256(text)}\n` ? decodeRecord(text) : undefined
  if (record === undefined) removeTree(path)
  return record
}

/** Not made durable, and half written for a moment: both can be told, and then it is read again. */
function keep(path: string, record: PackageRecord): void {
  const text = encodeRecord(record)
  try {
    writeNew(path, `${sha256(text)}\n${text}`)
  } catch (error) {
    // another process has just written it, or there is no room, which others will tell
    if (!['EEXIST', 'ENOSPC', 'EDQUOT'].includes(errorCode(error) ?? '')) throw error
  }
}
