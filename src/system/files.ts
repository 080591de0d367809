/**
 * The one place for file-system calls that matter. Everything is synchronous: linking and unpacking 130,000 files
 * one awaited call at a time takes three times the CPU (docs/architecture.md, "Speed").
 */
import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  fsyncSync,
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import type { Dirent, Stats } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { execa } from 'execa'
import { infrastructureError, TreeswapError } from '../model/errors.js'

export {
  chmodSync as chmod,
  chownSync as chown,
  closeSync as close,
  createReadStream as readStream,
  existsSync as exists,
  openSync as open,
  readlinkSync as readLink,
  readSync as read,
  realpathSync as realPath,
  renameSync as rename,
  statfsSync as statFileSystem,
  symlinkSync as symlink,
  utimesSync as setTimes,
  writeSync as write,
} from 'node:fs'
export type { Dirent, Stats } from 'node:fs'

/** Status of what is at `path` itself (links are not followed); undefined where nothing is. */
export function statusOf(path: string): Stats | undefined {
  return ifThere(() => lstatSync(path, { throwIfNoEntry: false }))
}

/** Like statusOf, following links. */
export function targetStatusOf(path: string): Stats | undefined {
  return ifThere(() => statSync(path, { throwIfNoEntry: false }))
}

/** undefined where nothing is at the path, or where something above it is no directory */
function ifThere<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR') return undefined
    throw error
  }
}

export function isDirectory(path: string): boolean {
  return statusOf(path)?.isDirectory() ?? false
}

/**
 * Makes a directory and its parents; one that is there is fine. (Node's own recursive call never ends below /proc.)
 * @throws DIRECTORY_FAILED
 */
export function makeDirectory(path: string, mode?: number): void {
  if (isDirectoryOrLink(path)) return
  if (dirname(path) !== path) makeDirectory(dirname(path))
  try {
    mkdirSync(path, mode)
  } catch (error) {
    if (isDirectoryOrLink(path)) return
    const why = directoryMessages[errorCode(error) ?? '']
    if (why === undefined) throw error
    throw infrastructureError(
      'DIRECTORY_FAILED',
      `the directory ${path} could not be made: ${why}`,
      'see that the path is right; a link in it may lead to a disk that is not mounted',
      error,
    )
  }
}

const directoryMessages: Record<string, string> = {
  ENOENT: 'nothing can be made there',
  ENOTDIR: 'a part of its path is no directory',
  EEXIST: 'something else is in its place',
  EACCES: 'this user may not write there',
  EPERM: 'this user may not write there',
}

function isDirectoryOrLink(path: string): boolean {
  return targetStatusOf(path)?.isDirectory() ?? false
}

/** Makes one directory that must not be there yet, in a parent that is. */
export function makeOneDirectory(path: string): void {
  mkdirSync(path)
}

/** Makes an empty directory with a name that nothing else has. */
export function makeTemporaryDirectory(prefix: string): string {
  makeDirectory(dirname(prefix))
  return mkdtempSync(prefix)
}

/** Removes whatever is at `path`, in depth; nothing there is fine. */
export function removeTree(path: string): void {
  rmSync(path, { recursive: true, force: true, maxRetries: 2 })
}

/** Names in a directory, sorted; empty where there is no directory. */
export function listDirectory(path: string): Dirent[] {
  const entries = ifThere(() => readdirSync(path, { withFileTypes: true })) ?? []
  return entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

export function readText(path: string): string {
  return readFileSync(path, 'utf8')
}

/** The file's content; undefined where there is none. */
export function readTextIfThere(path: string): string | undefined {
  return ifThere(() => readText(path))
}

/** The whole content of a regular file; a symlink at the last component is refused (ELOOP). */
export function readBytes(path: string): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  try {
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}

/** Writes a file that must not be there yet, and closes it. Durable only after syncFileSystem. */
export function writeNew(path: string, content: string | Uint8Array, mode = 0o644): void {
  writeFileSync(path, content, { flag: 'wx', mode })
}

/** Writes all of `bytes`, however many calls that takes. */
export function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done)
}

/** Replaces a file as one step: readers see the old content or the new; durable when it returns. */
export function writeAtomically(path: string, content: string | Uint8Array, mode = 0o644): void {
  const temporary = `${path}.${process.pid}.tmp`
  const file = openSync(temporary, 'w', mode)
  try {
    writeAll(file, typeof content === 'string' ? Buffer.from(content) : content)
    fsyncSync(file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  } finally {
    closeSync(file)
  }
  renameSync(temporary, path)
  syncDirectory(dirname(path))
}

/**
 * Points a symlink to `target` as one step, durable when it returns. The old link is there until then. One process at a
 * time: the new link is prepared under a name (hidden from servers) that a killed process may have left behind.
 */
export function replaceLink(target: string, path: string): void {
  const temporary = join(dirname(path), `.${basename(path)}.tmp`)
  rmSync(temporary, { force: true })
  symlinkSync(target, temporary)
  renameSync(temporary, path)
  syncDirectory(dirname(path))
}

/** Makes the entries of one directory durable. */
export function syncDirectory(path: string): void {
  const directory = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** Makes everything on the file system that holds `path` durable (syncfs). */
export async function syncFileSystem(path: string): Promise<void> {
  const { failed, stderr } = await execa('sync', ['-f', path], { reject: false })
  if (failed) throw infrastructureError('SYNC_FAILED', `${path} could not be made durable: ${stderr}`, diskHint)
}

const unlinkable = new Set(['EMLINK', 'EXDEV', 'EPERM'])

/**
 * Hard-links `from` to `to`, or copies it with its mode and times where the file system refuses the link (too many
 * links, another file system, no permission).
 * @returns whether it had to copy
 */
export function linkOrCopy(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return false
  } catch (error) {
    if (!unlinkable.has(errorCode(error) ?? '')) throw error
  }
  const { mode, mtime } = statSync(from)
  copyFileSync(from, to, constants.COPYFILE_EXCL)
  chmodSync(to, mode & 0o777)
  utimesSync(to, mtime, mtime)
  return true
}

/** Copies a file, sharing its blocks where the file system can. */
export function copyFile(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_FICLONE)
}

/** Target of a symlink; undefined where there is no symlink. */
export function linkTarget(path: string): string | undefined {
  try {
    return ifThere(() => readlinkSync(path))
  } catch (error) {
    if (errorCode(error) === 'EINVAL') return undefined
    throw error
  }
}

/** Makes what is created from now on readable for servers, which run as other users, whatever umask we were given. */
export function serveNewFiles(): void {
  process.umask(0o022)
}

export function removeFile(path: string): void {
  unlinkSync(path)
}

/** Removes an empty directory (also a control group, whose files do not count). */
export function removeDirectory(path: string): void {
  rmdirSync(path)
}

/** Writes to a file that the kernel made (/proc, /sys): in one call, without creating or truncating it. */
export function writeKernelFile(path: string, text: string): void {
  const file = openSync(path, constants.O_WRONLY)
  try {
    writeSync(file, text)
  } finally {
    closeSync(file)
  }
}

/** The system's error code (`ENOENT`, …) of a caught value, if it has one. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

const diskHint =
  'look at free space and inodes (df -h, df -i) and at the kernel log (dmesg), then run the command again'

const diskMessages: Record<string, string> = {
  ENOSPC: 'there is no space left',
  EDQUOT: 'the quota is used up',
  // EDQUOT, for which libuv has no name
  'Unknown system error -122': 'the quota is used up',
  EIO: 'the disk reported an error',
  EROFS: 'the file system is read-only',
  EMFILE: 'too many files are open',
}

/** A coded error for what a disk does at night, anything else unchanged. */
export function explainDiskError(error: unknown, path: string): unknown {
  const why = error instanceof TreeswapError ? undefined : diskMessages[errorCode(error) ?? '']
  return why === undefined ? error : infrastructureError('DISK', `${path}: ${why}`, diskHint, error)
}
