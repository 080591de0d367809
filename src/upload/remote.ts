import { randomBytes } from 'node:crypto'
import { posix } from 'node:path'
import type { UploadConfig } from '../config/uploads.js'
import { configurationError } from '../model/errors.js'
import type { Sftp } from './connection.js'
import type { Line, Send } from './line.js'
import { disturbed, explainRemote, isAnswer, isNotThere, isRefusal, isUnsupported } from './remote-errors.js'
import type { FreeSpace } from './remote-errors.js'
import { readFile, readStart, writeFile } from './remote-file.js'
import type { Attributes, Content } from './remote-file.js'

export interface RemoteStatus {
  kind: 'file' | 'directory' | 'symlink' | 'other'
  size: number
  /** seconds since 1970 */
  mtime: number
}

/**
 * Files of a web host; paths are absolute. Requests begun in a row are carried out in that order. Each of them throws
 * UPLOAD_DENIED, UPLOAD_DISK_FULL, UPLOAD_FAILED, UPLOAD_LOST and ABORTED.
 */
export interface Remote {
  /** names this connection: no other one has the same */
  readonly run: string
  /** of what is at the path itself; undefined where nothing is */
  status(path: string): Promise<RemoteStatus | undefined>
  /** following links */
  targetStatus(path: string): Promise<RemoteStatus | undefined>
  /** by name; empty where there is no directory. The names come from outside: compare them, but make no paths of them */
  list(path: string): Promise<Map<string, RemoteStatus>>
  /** undefined where nothing is, or something larger than `limit` bytes */
  read(path: string, limit: number): Promise<Buffer | undefined>
  /** the first bytes; undefined where nothing is */
  readStart(path: string, bytes: number): Promise<Buffer | undefined>
  /**
   * Writes a file that must not be there yet, readable for everybody, and durable where the host can do that.
   * @param mtime seconds since 1970
   * @returns as the host has it, which may be with another time
   */
  write(path: string, content: Content, mtime: number): Promise<RemoteStatus>
  /** In one step, replacing what is there. @throws UPLOAD_NOT_ATOMIC, UPLOAD_DISTURBED where nothing is at `from` */
  rename(from: string, to: string): Promise<void>
  /** A second name for a file; false where that cannot be had. @throws UPLOAD_NO_LINKS where it never can */
  link(from: string, to: string): Promise<boolean>
  /** @throws UPLOAD_NO_LINKS */
  symlink(target: string, path: string): Promise<void>
  /** undefined where there is no symbolic link */
  linkTarget(path: string): Promise<string | undefined>
  /** readable for everybody */
  makeDirectory(path: string): Promise<void>
  /** nothing there is fine */
  removeFile(path: string): Promise<void>
  /** false where something is in it; nothing there is fine */
  removeDirectory(path: string): Promise<boolean>
}

type Entries = Parameters<Parameters<Sftp['readdir']>[1]>[1]

/** What an answer means that says no, where that is no failure. */
type Meaning<T> = (error: unknown) => { result: T } | undefined

export function openRemote(sftp: Sftp, line: Line, config: UploadConfig): Remote {
  async function explained<T>(doing: string, path: string, request: Promise<T>, meaning?: Meaning<T>): Promise<T> {
    try {
      return await request
    } catch (error) {
      const expected = meaning?.(error)
      if (expected !== undefined) return expected.result
      const freeSpace = (): Promise<FreeSpace | undefined> =>
        line.call<FreeSpace>((done) => sftp.ext_openssh_statvfs(posix.dirname(path), done)).catch(() => undefined)
      throw await explainRemote(error, doing, path, config, freeSpace)
    }
  }
  const ask = <T = void>(doing: string, path: string, send: Send<T>, meaning?: Meaning<T>): Promise<T> =>
    explained(doing, path, line.call(send), meaning)

  return {
    run: randomBytes(4).toString('hex'),
    status: async (path) => {
      const found = await ask<Attributes | undefined>('look at', path, (done) => sftp.lstat(path, done), absent)
      return found && statusFrom(found)
    },
    targetStatus: async (path) => {
      const found = await ask<Attributes | undefined>('look at', path, (done) => sftp.stat(path, done), absent)
      return found && statusFrom(found)
    },
    list: async (path) => {
      const found = await ask<Entries | undefined>('list', path, (done) => sftp.readdir(path, done), absent)
      return new Map((found ?? []).map(({ filename, attrs }) => [filename, statusFrom(attrs)]))
    },
    read: (path, limit) => explained('read', path, readFile(sftp, line, path, limit), absent),
    readStart: (path, bytes) => explained('read', path, readStart(sftp, line, path, bytes), absent),
    write: async (path, content, mtime) =>
      statusFrom(await explained('write', path, writeFile(sftp, line, path, content, mtime))),
    rename: (from, to) =>
      ask<undefined>(
        'replace',
        to,
        (done) => sftp.ext_openssh_rename(from, to, done),
        (error) => {
          if (isNotThere(error)) throw disturbed(posix.dirname(to))
          return undefined
        },
      ),
    link: async (from, to) => {
      const refused: Meaning<string | undefined> = (error) => {
        if (isUnsupported(error)) throw noLinks(config)
        return isAnswer(error) ? { result: 'refused' } : undefined
      }
      return (await ask('link', to, (done) => sftp.ext_openssh_hardlink(from, to, done), refused)) === undefined
    },
    symlink: (target, path) =>
      ask<undefined>(
        'link',
        path,
        (done) => sftp.symlink(target, path, done),
        (error) => {
          if (isRefusal(error)) throw noSymlinks(config, error)
          return undefined
        },
      ),
    linkTarget: (path) =>
      ask<string | undefined>(
        'look at',
        path,
        (done) => sftp.readlink(path, done),
        (error) => (isAnswer(error) ? { result: undefined } : undefined),
      ),
    makeDirectory: async (path) => {
      await ask('make', path, (done) => sftp.mkdir(path, done))
      // the host's umask is not for what a web server has to read; not every host lets a mode be set
      await line.call((done) => sftp.chmod(path, 0o755, done)).catch(() => undefined)
    },
    removeFile: (path) => ask<undefined>('remove', path, (done) => sftp.unlink(path, done), absent),
    removeDirectory: async (path) => {
      const refused: Meaning<boolean | undefined> = (error) =>
        isAnswer(error) ? { result: isNotThere(error) } : undefined
      return (await ask('remove', path, (done) => sftp.rmdir(path, done), refused)) ?? true
    },
  }
}

function absent(error: unknown): { result: undefined } | undefined {
  return isNotThere(error) ? { result: undefined } : undefined
}
function statusFrom(attributes: Attributes): RemoteStatus {
  const { size, mtime } = attributes
  const kind = attributes.isFile()
    ? 'file'
    : attributes.isDirectory()
      ? 'directory'
      : attributes.isSymbolicLink()
        ? 'symlink'
        : 'other'
  return { kind, size, mtime }
}

function noLinks({ host, name }: UploadConfig): Error {
  return configurationError(
    'UPLOAD_NO_LINKS',
    `${host} cannot make hard links, without which every generation would be sent whole`,
    `write symlinks: false in uploads.${name}`,
  )
}

function noSymlinks({ host, name, user, directory }: UploadConfig, cause: unknown): Error {
  return configurationError(
    'UPLOAD_NO_LINKS',
    `${host} lets ${user} make no symbolic links in ${directory}`,
    `write symlinks: false in uploads.${name}; or, if only that directory is not its own, give it to ${user} (chown)`,
    cause,
  )
}
