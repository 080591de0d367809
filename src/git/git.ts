import { join } from 'node:path'
import { configurationError, infrastructureError, TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { environment } from '../system/environment.js'
import { makeDirectory, readTextIfThere, removeFile, removeTree, writeAtomically } from '../system/files.js'
import { findFiles } from '../system/glob.js'
import { runAny } from '../system/process.js'
import { PATIENCE, runLimitedGit } from './git-limited.js'

export interface GitSource {
  url: string
  /** default: the remote's HEAD */
  branch?: string | undefined
  /** instead of a branch, without refs/tags/ */
  tag?: string | undefined
}

export interface Checkout {
  directory: string
  commit: string
  /** seconds since 1970, UTC */
  commitTime: number
}

/** Settings that keep a repository from running anything here or asking at a terminal. */
export const safety = [
  '-c',
  'core.hooksPath=/dev/null',
  '-c',
  'protocol.ext.allow=never',
  '-c',
  'submodule.recurse=false',
]

/** Holds what was fetched last: git tells a remote only of what refs hold, and else would get all of it again. */
const FETCHED = 'refs/treeswap/fetched'

/**
 * Brings `directory` to the newest commit of a branch: one commit deep, nothing else in the work tree. The caller
 * holds a lock: what a killed git left there is removed.
 * @param patience seconds that a fetch may take
 * @throws GIT_FAILED
 */
export async function fetchGit(
  source: GitSource,
  directory: string,
  context: Context,
  patience: number = PATIENCE.fetch,
): Promise<Checkout> {
  const { signal } = context
  for (const path of findFiles(join(directory, '.git'), '**/*.lock')) removeFile(join(directory, '.git', path))
  makeDirectory(directory)
  try {
    await initialise(directory, signal)
    await fetchHead(source, directory, patience, signal)
    await checkOut(directory, 'FETCH_HEAD', signal)
  } catch (error) {
    if (signal.aborted || !isDamage(error)) throw error
    context.report.warn(`the clone ${directory} is damaged: making it anew`)
    removeTree(directory)
    makeDirectory(directory)
    await initialise(directory, signal)
    await fetchHead(source, directory, patience, signal)
    await checkOut(directory, 'FETCH_HEAD', signal)
  }
  return { directory, ...(await headOf(clone(directory), signal)) }
}

/**
 * Brings the work tree of a clone back to a commit that was fetched before: while its lock was free, another process
 * may have fetched a newer one, or may have been killed doing it.
 * @throws GIT_FAILED
 */
export async function restoreCheckout({ directory, commit }: Checkout, { signal }: Context): Promise<void> {
  await checkOut(directory, commit, signal)
}

/**
 * Above what a repository says of its files (gitattributes(5)): they are taken as they are, through no program of this
 * host's configuration (git-lfs would talk to servers that the repository names).
 */
const ATTRIBUTES = '* -text !eol !filter !ident !working-tree-encoding\n'

/** Repairs what a killed init or a crash left, and changes nothing else. */
async function initialise(directory: string, signal: AbortSignal): Promise<void> {
  await runGit(clone(directory), ['init', '--quiet'], signal)
  const attributes = join(directory, '.git/info/attributes')
  makeDirectory(join(directory, '.git/info'))
  if (readTextIfThere(attributes) !== ATTRIBUTES) writeAtomically(attributes, ATTRIBUTES)
  await runGit(clone(directory), ['rev-parse', '--git-dir'], signal)
}

/** Whatever fails here is a fault of the clone; a remote that cannot be reached says nothing about it. */
function isDamage(error: unknown): boolean {
  return error instanceof TreeswapError && error.code === 'GIT_FAILED' && !(error.cause instanceof TreeswapError)
}

async function fetchHead(
  { url, branch, tag }: GitSource,
  directory: string,
  patience: number,
  signal: AbortSignal,
): Promise<void> {
  const ref = tag !== undefined ? `refs/tags/${tag}` : branch === undefined ? 'HEAD' : `refs/heads/${branch}`
  const options = ['--quiet', '--force', '--depth=1', '--no-tags', '--no-recurse-submodules']
  try {
    await runGit(clone(directory), ['fetch', ...options, '--', url, `+${ref}:${FETCHED}`], signal, patience)
  } catch (cause) {
    if (signal.aborted || !(cause instanceof TreeswapError) || cause.code !== 'GIT_FAILED') throw cause
    if (await isBroken(directory, signal)) throw cause
    const why = cause.message
    throw infrastructureError(
      'GIT_FAILED',
      `${url}${ref === 'HEAD' ? '' : ` (${ref})`} could not be fetched: ${why}`,
      `try it by hand: git ls-remote ${url}`,
      cause,
    )
  }
}

/** Whether a clone lacks something of what it should have: then no fetch into it may ever succeed. */
async function isBroken(directory: string, signal: AbortSignal): Promise<boolean> {
  const args = ['fsck', '--connectivity-only', '--no-dangling', '--no-progress']
  return await runGit(clone(directory), args, signal).then(
    () => false,
    () => true,
  )
}

async function checkOut(directory: string, commit: string, signal: AbortSignal): Promise<void> {
  await runGit(clone(directory), ['checkout', '--quiet', '--force', '--detach', commit], signal)
  await runGit(clone(directory), ['clean', '-ffdxq'], signal)
}

/**
 * The commit a directory is at; undefined where it is no git checkout.
 * @throws CHECKOUT_FOREIGN where git refuses to read what another user owns
 */
export async function describeCheckout(directory: string, { signal }: Context): Promise<Checkout | undefined> {
  const args = ['-C', directory, 'rev-parse', '--verify', 'HEAD']
  const { exitCode, stderr } = await runAny('git', args, { env: gitEnvironment(), signal })
  if (exitCode === 0) return { directory, ...(await headOf({ directory }, signal)) }
  if (!stderr.includes('dubious ownership')) return undefined
  throw configurationError(
    'CHECKOUT_FOREIGN',
    `git does not read ${directory}, because it belongs to another user`,
    `run this as its owner, or allow it: git config --global --add safe.directory ${directory}`,
  )
}

/**
 * Names the content of a sub-directory of a clone at the checked-out commit: git's hash of that tree.
 * @param path relative, without links in it; empty: the top
 */
export async function contentOf({ directory }: Checkout, path: string, { signal }: Context): Promise<string> {
  return (await runGit(clone(directory), ['rev-parse', '--verify', `HEAD:${path}`], signal)).trim()
}

/**
 * The same of a file or directory that may not be there: then undefined, also behind a link.
 * @param path relative, as somebody wrote it
 */
export async function contentIfThere(checkout: Checkout, path: string, context: Context): Promise<string | undefined> {
  if (path === '') return await contentOf(checkout, path, context)
  const args = ['ls-tree', '-z', '--full-tree', 'HEAD', '--', `:(literal)${path}`]
  const [entry = ''] = (await runGit(clone(checkout.directory), args, context.signal)).split('\0')
  return /^\d+ \w+ ([0-9a-f]+)\t/.exec(entry)?.[1]
}

/** The same of every directory of a clone, by path, where there are many to be asked for. */
export async function contentOfAll(checkout: Checkout, context: Context): Promise<Map<string, string>> {
  const top = await contentOf(checkout, '', context)
  const args = ['ls-tree', '-r', '-d', '-z', '--full-tree', top]
  const listed = (await runGit(clone(checkout.directory), args, context.signal)).split('\0')
  const found = listed.map((line) => /^\d+ tree ([0-9a-f]+)\t(.+)$/s.exec(line))
  return new Map([
    ['', top],
    ...found.flatMap((one): [string, string][] => (one ? [[one[2] ?? '', one[1] ?? '']] : [])),
  ])
}

/** Read from the commit itself: `git show` would start programs that a checkout's own configuration names. */
async function headOf(place: Place, signal: AbortSignal): Promise<{ commit: string; commitTime: number }> {
  const commit = (await runGit(place, ['rev-parse', '--verify', 'HEAD'], signal)).trim()
  const text = await runGit(place, ['cat-file', 'commit', commit], signal)
  return { commit, commitTime: Number(/^committer .* (\d+) [+-]\d{4}$/m.exec(text)?.[1] ?? 0) }
}

interface Place {
  directory: string
  /** default: git looks for it, in the directories above too */
  gitDirectory?: string
}

/** A clone of our own: where it is damaged, git must not take a repository above it instead. */
function clone(directory: string): Place {
  return { directory, gitDirectory: join(directory, '.git') }
}

/**
 * @param patience seconds that a git may take that talks to a remote; undefined: it talks to none
 * @throws GIT_FAILED with the sub-command and what git said
 */
async function runGit(
  { directory, gitDirectory }: Place,
  args: string[],
  signal: AbortSignal,
  patience?: number,
): Promise<string> {
  const env = { ...gitEnvironment(), ...(gitDirectory !== undefined && { GIT_DIR: gitDirectory }) }
  const all = ['-C', directory, ...safety, ...args]
  const options = { env, signal }
  const done =
    patience === undefined
      ? { ...(await runAny('git', all, options)), late: false }
      : await runLimitedGit(all, patience, options)
  if (done.exitCode === 0) return done.stdout
  const last = done.stderr.trim().split('\n').slice(-5).join(' | ')
  const said = done.late ? `it took longer than ${patience} s` : last
  const { exitCode } = done
  throw infrastructureError(
    'GIT_FAILED',
    `git ${args[0] ?? ''} in ${directory} failed: ${said === '' ? `exit code ${exitCode}` : said}`,
    `run it by hand to see more: git -C ${directory} ${args.join(' ')}`,
  )
}

/** What of GIT_* says how a remote is reached. The rest (GIT_DIR, GIT_INDEX_FILE, …) would lead to other repositories. */
const transport =
  /^GIT_(SSH|SSH_COMMAND|SSH_VARIANT|ASKPASS|SSL_.*|PROXY_.*|HTTP_.*|TRACE.*|CURL_VERBOSE|CONFIG_(GLOBAL|SYSTEM|NOSYSTEM))$/

/** For every git that is started here. */
export function gitEnvironment(): Record<string, string> {
  const kept = Object.entries(environment()).filter(([name]) => !name.startsWith('GIT_') || transport.test(name))
  return { ...Object.fromEntries(kept), GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' }
}
