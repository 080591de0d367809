import { join } from 'node:path'
import { configurationError, infrastructureError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { makeDirectory, removeFile, removeTree } from '../system/files.js'
import { environment } from '../system/environment.js'
import { findFiles } from '../system/glob.js'
import { run, runAny } from '../system/process.js'

export interface GitSource {
  url: string
  /** default: the remote's HEAD */
  branch?: string | undefined
}

export interface Checkout {
  directory: string
  commit: string
  /** seconds since 1970, UTC */
  commitTime: number
}

/** Settings that keep a repository from running anything here or asking at a terminal. */
const safety = ['-c', 'core.hooksPath=/dev/null', '-c', 'protocol.ext.allow=never', '-c', 'submodule.recurse=false']

/**
 * Brings `directory` to the newest commit of a branch: one commit deep, nothing else in the work tree. The caller
 * holds a lock: what a killed git left there is removed.
 * @throws GIT_FAILED
 */
export async function fetchGit(source: GitSource, directory: string, context: Context): Promise<Checkout> {
  const { signal } = context
  for (const path of findFiles(join(directory, '.git'), '**/*.lock')) removeFile(join(directory, '.git', path))
  makeDirectory(directory)
  // repairs what a killed init or a crash left, and changes nothing else
  await runGit(directory, ['init', '--quiet'], signal)
  await fetchHead(source, directory, signal)
  try {
    await checkOut(directory, signal)
  } catch (error) {
    if (signal.aborted) throw error
    context.report.warn(`the clone ${directory} is damaged: making it anew`)
    removeTree(directory)
    makeDirectory(directory)
    await runGit(directory, ['init', '--quiet'], signal)
    await fetchHead(source, directory, signal)
    await checkOut(directory, signal)
  }
  return { directory, ...(await headOf(directory, signal)) }
}

async function fetchHead({ url, branch }: GitSource, directory: string, signal: AbortSignal): Promise<void> {
  const ref = branch === undefined ? 'HEAD' : `refs/heads/${branch}`
  const options = ['--quiet', '--force', '--depth=1', '--no-tags', '--no-recurse-submodules']
  try {
    await runGit(directory, ['fetch', ...options, '--', url, ref], signal)
  } catch (cause) {
    if (signal.aborted) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw infrastructureError(
      'GIT_FAILED',
      `${url}${branch === undefined ? '' : ` (branch ${branch})`} could not be fetched: ${why}`,
      `try it by hand: git ls-remote ${url}`,
      cause,
    )
  }
}

async function checkOut(directory: string, signal: AbortSignal): Promise<void> {
  await runGit(directory, ['checkout', '--quiet', '--force', '--detach', 'FETCH_HEAD'], signal)
  await runGit(directory, ['clean', '-ffdxq'], signal)
}

/**
 * The commit a directory is at; undefined where it is no git checkout.
 * @throws CHECKOUT_FOREIGN where git refuses to read what another user owns
 */
export async function describeCheckout(directory: string, { signal }: Context): Promise<Checkout | undefined> {
  const args = ['-C', directory, 'rev-parse', '--verify', 'HEAD']
  const { exitCode, stderr } = await runAny('git', args, { env: gitEnvironment(), signal })
  if (exitCode === 0) return { directory, ...(await headOf(directory, signal)) }
  if (!stderr.includes('dubious ownership')) return undefined
  throw configurationError(
    'CHECKOUT_FOREIGN',
    `git does not read ${directory}, because it belongs to another user`,
    `run this as its owner, or allow it: git config --global --add safe.directory ${directory}`,
  )
}

/** Names the content of a sub-directory at the checked-out commit: git's hash of that tree. */
export async function contentOf({ directory }: Checkout, path: string, { signal }: Context): Promise<string> {
  return (await runGit(directory, ['rev-parse', '--verify', `HEAD:${path}`], signal)).trim()
}

/** Read from the commit itself: `git show` would start programs that a checkout's own configuration names. */
async function headOf(directory: string, signal: AbortSignal): Promise<{ commit: string; commitTime: number }> {
  const commit = (await runGit(directory, ['rev-parse', '--verify', 'HEAD'], signal)).trim()
  const text = await runGit(directory, ['cat-file', 'commit', commit], signal)
  return { commit, commitTime: Number(/^committer .* (\d+) [+-]\d{4}$/m.exec(text)?.[1] ?? 0) }
}

function runGit(directory: string, args: string[], signal: AbortSignal): Promise<string> {
  return run('git', ['-C', directory, ...safety, ...args], { env: gitEnvironment(), signal })
}

function gitEnvironment(): Record<string, string> {
  return { ...environment(), GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' }
}
