/**
 * Files by descriptors instead of by paths, for directories that somebody else can change at any moment: what was
 * looked at is what is changed. Node has no openat(2); a path below /proc/self/fd/N is the same thing.
 */
import { chmodSync, chownSync, closeSync, constants, fstatSync, openSync, readdirSync } from 'node:fs'

/** Only names what it is opened on: no device wakes up, no pipe is waited for. (asm-generic/fcntl.h of Linux) */
const O_PATH = 0o10000000

export interface OpenStatus {
  uid: number
  gid: number
  /** permission bits with setuid, setgid and sticky */
  mode: number
  isDirectory: boolean
  isLink: boolean
  device: bigint
  /** device and inode: no other file has it as long as this one is open */
  identity: string
}

/** The top of the file system. */
export function openTop(): number {
  return openSync('/', O_PATH | constants.O_DIRECTORY)
}

/**
 * Opens an entry of an open directory; a symlink itself, not where it leads.
 * @param name one component: not `..`, no slash
 * @throws ENOENT, ENOTDIR where a directory is wanted and something else (a symlink too) is there
 */
export function openEntry(directory: number, name: string | Buffer, wanted: 'directory' | 'anything'): number {
  const flags = O_PATH | constants.O_NOFOLLOW | (wanted === 'directory' ? constants.O_DIRECTORY : 0)
  return openSync(entryPath(directory, name), flags)
}

/** Opens the directory that holds an open one at this moment. */
export function openParent(directory: number): number {
  return openSync(`${selfPath(directory)}/..`, O_PATH | constants.O_DIRECTORY)
}

export function statusOfOpen(file: number): OpenStatus {
  const status = fstatSync(file, { bigint: true })
  return {
    uid: Number(status.uid),
    gid: Number(status.gid),
    mode: Number(status.mode & 0o7777n),
    isDirectory: status.isDirectory(),
    isLink: status.isSymbolicLink(),
    device: status.dev,
    identity: `${status.dev}:${status.ino}`,
  }
}

/** Names in an open directory, as bytes: they need not be text. */
export function listOpen(directory: number): { name: Buffer; isDirectory: boolean }[] {
  const entries = readdirSync(selfPath(directory), { encoding: 'buffer', withFileTypes: true })
  return entries.map((entry) => ({ name: entry.name, isDirectory: entry.isDirectory() }))
}

/** Changes the owner of exactly what is open, a symlink included. */
export function chownOpen(file: number, uid: number, gid: number): void {
  chownSync(selfPath(file), uid, gid)
}

/** Changes the mode of exactly what is open; not for symlinks. */
export function chmodOpen(file: number, mode: number): void {
  chmodSync(selfPath(file), mode)
}

export function closeOpen(file: number): void {
  closeSync(file)
}

function selfPath(file: number): string {
  return `/proc/self/fd/${file}`
}

function entryPath(directory: number, name: string | Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${selfPath(directory)}/`), Buffer.from(name)])
}
