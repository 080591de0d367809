import * as z from 'zod'
import { configurationError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import type { ChrootInfo } from './root-record.js'

/** Absolute, normal, free of control characters: what may be named to root. */
export const absolutePath = z
  .string()
  .max(4000)
  .refine(isAbsoluteNormal, 'must be an absolute path without "..", "//" or control characters')

const noNul = z.string().refine((text) => !text.includes('\0'), 'must not hold a NUL character')

export const createRequest = z.strictObject({
  name: z.string(),
  /** absent: what the administrator's configuration says */
  from: z.union([z.strictObject({ tarball: absolutePath }), z.strictObject({ directory: absolutePath })]).optional(),
})

const bind = z.strictObject({
  /** a directory of the host; made when it is writable and not there */
  source: absolutePath,
  /** in the container */
  target: absolutePath,
  writable: z.boolean(),
})

const limits = z.strictObject({
  /** bytes, of all processes together */
  memory: z.int().positive().optional(),
  processes: z.int().positive().optional(),
  /** wall time of one run */
  seconds: z.number().positive().optional(),
  /** bytes on the disk that are taken by all that a session writes, and what lies in writable binds */
  disk: z.int().positive().optional(),
})

export const runRequest = z.strictObject({
  /** program (absolute, or found by the container's PATH) and arguments */
  argv: z.array(noNul).min(1),
  /** added to the container's own clean environment; visible to every user of the host, so never a secret */
  env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), noNul),
  /** targets lie in no other's: what a path through a lent directory leads to is up to whoever can write there */
  binds: z.array(bind).refine(areApart, 'the target of a bind must not lie in that of another'),
  /** false: nothing but a loopback device of its own; true: the host's network */
  network: z.boolean(),
  limits,
  /** connects the caller's terminal instead of collecting lines */
  interactive: z.boolean().optional(),
})

export type CreateRequest = z.infer<typeof createRequest>
export type RunRequest = z.infer<typeof runRequest>
export type Bind = z.infer<typeof bind>
export type Limits = z.infer<typeof limits>

/** Everything that needs root. Requests are plain data, so that a separate program can serve them. */
export interface RootService {
  /** whether an administrator's configuration says what roots are made from, and the caller need not know */
  readonly knowsOrigins: boolean
  /**
   * Makes a root from a tarball or a directory, in a uid range of its own.
   * @throws REQUEST_INVALID, NAME_INVALID, CHROOT_EXISTS, CHROOT_BUSY, CHROOT_ORIGIN, CHROOT_SOURCE_INVALID, DISK,
   * ABORTED
   */
  create(request: CreateRequest, context: Context): Promise<ChrootInfo>
  /** All roots, by name. */
  list(): Promise<ChrootInfo[]>
  /** @throws CHROOT_MISSING, CHROOT_BUSY */
  remove(name: string, context: Context): Promise<void>
  /**
   * Locks the root and gives it to `use` with an empty layer on top; what `use` does not commit is undone.
   * @throws CHROOT_MISSING, CHROOT_BUSY, and what `use` throws
   */
  session<T>(chroot: string, context: Context, use: (session: Session) => Promise<T>): Promise<T>
  /**
   * Gives `use` the root as it is with an empty layer of its own on top. Many scratch sessions of one root may run at a
   * time; none sees what another does, none can commit, and everything is undone at the end. They have the root's uid
   * range in common: a directory that one of them was lent for writing must not be lent to, or taken back by, another
   * one while a program runs in the first.
   * @throws CHROOT_MISSING, CHROOT_BUSY (a session has the root, or as many scratch sessions as may be run already),
   * and what `use` throws
   */
  scratch<T>(chroot: string, context: Context, use: (session: Session) => Promise<T>): Promise<T>
}

/** One use of a root under its lock: everything run in it is undone at the end unless it was committed. */
export interface Session {
  /** host uid and gid of the container's root */
  readonly uidBase: number
  /**
   * Runs a program in a container and waits for its end. Changes of earlier runs in this session are there. Writable
   * binds are made where they are missing, and the caller's directories in them are given to the container's root.
   * @param onLine called with each line of output and error output, in order; where it returns a promise, no more is
   * read until that is settled
   * @returns the program's exit code
   * @throws REQUEST_INVALID, BIND_MISSING, BIND_REFUSED, BIND_MOVED,
   * BIND_TARGET, LIMITS_UNAVAILABLE, LIMIT_MEMORY, LIMIT_TIME, LIMIT_DISK, ABORTED, CONTAINER_FAILED
   */
  run(request: RunRequest, onLine: (line: string) => unknown): Promise<number>
  /**
   * Makes everything done since the session began, or since the last commit, part of the root: durable on return.
   * @throws COMMIT_REFUSED in a scratch session
   */
  commit(): Promise<void>
  /**
   * Gives what this root's containers wrote below `directory`, in this session or a dead one, to the caller: readable
   * for it, writable for nobody else, without setuid and setgid bits. Files of other owners are left alone, symlinks
   * not followed; a directory that is not there is fine.
   * @throws BIND_MISSING, BIND_REFUSED
   */
  reclaim(directory: string): Promise<void>
}

/** @throws REQUEST_INVALID */
export function parseCreateRequest(data: unknown): CreateRequest {
  return parse(createRequest, data, 'create a chroot')
}

/** @throws REQUEST_INVALID */
export function parseRunRequest(data: unknown): RunRequest {
  return parse(runRequest, data, 'run a program in a chroot')
}

/** @throws REQUEST_INVALID */
export function parseDirectory(data: unknown): string {
  return parse(absolutePath, data, 'take a directory back')
}

function parse<T>(schema: z.ZodType<T>, data: unknown, what: string): T {
  const result = schema.safeParse(data)
  if (result.success) return result.data
  throw configurationError(
    'REQUEST_INVALID',
    `the request to ${what} is not valid: ${z.prettifyError(result.error)}`,
    'mend the value that is named; paths are absolute',
  )
}

function areApart(binds: readonly { target: string }[]): boolean {
  const targets = binds.map(({ target }) => `${target}/`).sort()
  return targets.every((target, index) => index === 0 || !target.startsWith(targets[index - 1] ?? ''))
}

function isAbsoluteNormal(path: string): boolean {
  if (path === '/') return true
  // eslint-disable-next-line no-control-regex -- these are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(path)) return false
  return (
    path.startsWith('/') &&
    path
      .slice(1)
      .split('/')
      .every((part) => part !== '' && part !== '.' && part !== '..')
  )
}
