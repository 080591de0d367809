import { configurationError, infrastructureError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { runAny } from '../system/process.js'
import { gitEnvironment, safety } from './git.js'

/**
 * The branch that a remote repository has checked out itself.
 * @throws BRANCH_UNKNOWN
 */
export async function defaultBranch(url: string, { signal }: Context): Promise<string> {
  const { stdout, stderr } = await lsRemote(['--symref', '--', url, 'HEAD'], signal)
  const branch = /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(stdout)?.[1]
  if (branch !== undefined) return branch
  const said = stderr.trim().split('\n').slice(-2).join(' | ')
  throw configurationError(
    'BRANCH_UNKNOWN',
    `the default branch of ${url} could not be found out${said === '' ? '' : `: ${said}`}`,
    'name its branch in the configuration; for a repository that asks for credentials this is needed',
  )
}

/**
 * The commit at a remote's branch, or at its HEAD.
 * @throws GIT_FAILED where it cannot be asked, or has no such branch
 */
export async function remoteHead(url: string, branch: string | undefined, { signal }: Context): Promise<string> {
  const ref = branch === undefined ? 'HEAD' : `refs/heads/${branch}`
  const answer = await lsRemote(['--', url, ref], signal)
  const commit = answer.stdout
    .split('\n')
    .map((line) => line.split('\t'))
    .find(([, name]) => name === ref)?.[0]
  if (answer.exitCode === 0 && commit !== undefined && /^[0-9a-f]{40,64}$/.test(commit)) return commit
  throw unreadable(url, answer.exitCode === 0 ? `it has no ${ref}` : answer.stderr)
}

/**
 * Names of a remote's tags, without refs/tags/.
 * @throws GIT_FAILED
 */
export async function remoteTags(url: string, { signal }: Context): Promise<string[]> {
  const answer = await lsRemote(['--tags', '--refs', '--', url], signal)
  if (answer.exitCode !== 0) throw unreadable(url, answer.stderr)
  return answer.stdout.split('\n').flatMap((line) => /^[0-9a-f]+\trefs\/tags\/(\S+)$/.exec(line)?.[1] ?? [])
}

function lsRemote(args: string[], signal: AbortSignal): ReturnType<typeof runAny> {
  return runAny('git', [...safety, 'ls-remote', ...args], { env: gitEnvironment(), signal })
}

function unreadable(url: string, why: string): Error {
  const said = why.trim().split('\n').slice(-2).join(' | ')
  return infrastructureError('GIT_FAILED', `${url} could not be read: ${said}`, `try it by hand: git ls-remote ${url}`)
}
