import { join } from 'node:path'
import { infrastructureError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { isDirectory, makeDirectory, removeTree } from '../system/files.js'
import { environment } from '../system/environment.js'
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
 * Brings `directory` to the newest commit of a branch: one commit deep, nothing else in the work tree.
 * @throws GIT_FAILED
 */
export async function fetchGit(source: GitSource, directory: string, { signal }: Context): Promise<Checkout> {
  const git = (...args: string[]) => runGit(directory, args, signal)
  if (!isDirectory(join(directory, '.git'))) {
    removeTree(directory)
    makeDirectory(directory)
    await git('init', '--quiet')
  }
  const ref = source.branch === undefined ? 'HEAD' : `refs/heads/${source.branch}`
  try {
    await git('fetch', '--quiet', '--depth=1', '--no-tags', '--no-recurse-submodules', '--', source.url, ref)
  } catch (cause) {
    if (signal.aborted) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw infrastructureError(
      'GIT_FAILED',
      `${source.url}${source.branch === undefined ? '' : ` (branch ${source.branch})`} could not be fetched: ${why}`,
      `try it by hand: git ls-remote ${source.url}`,
      cause,
    )
  }
  await git('checkout', '--quiet', '--force', '--detach', 'FETCH_HEAD')
  await git('clean', '-ffdxq')
  return { directory, ...(await headOf(directory, signal)) }
}

/** The commit a directory is at; undefined where it is no git checkout. */
export async function describeCheckout(directory: string, { signal }: Context): Promise<Checkout | undefined> {
  const { exitCode } = await runAny('git', ['-C', directory, 'rev-parse', '--verify', '--quiet', 'HEAD'], { signal })
  return exitCode === 0 ? { directory, ...(await headOf(directory, signal)) } : undefined
}

/** Names the content of a sub-directory at the checked-out commit: git's hash of that tree. */
export async function contentOf({ directory }: Checkout, path: string, { signal }: Context): Promise<string> {
  return (await runGit(directory, ['rev-parse', '--verify', `HEAD:${path}`], signal)).trim()
}

async function headOf(directory: string, signal: AbortSignal): Promise<{ commit: string; commitTime: number }> {
  const line = await runGit(directory, ['show', '--no-patch', '--format=%H %ct', 'HEAD'], signal)
  const [commit = '', time = ''] = line.trim().split(' ')
  return { commit, commitTime: Number(time) }
}

function runGit(directory: string, args: string[], signal: AbortSignal): Promise<string> {
  const env = { ...environment(), GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' }
  return run('git', ['-C', directory, ...safety, ...args], { env, signal })
}
