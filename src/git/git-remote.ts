import { configurationError, infrastructureError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import type { Finished, RunOptions } from '../system/process.js'
import { PATIENCE, runLimitedGit } from './git-limited.js'
import { gitEnvironment, safety } from './git.js'

/**
 * The branch that a remote repository has checked out itself.
 * @throws BRANCH_UNKNOWN
 */
export async function defaultBranch(url: string, { signal }: Context): Promise<string> {
  const { stdout, stderr } = await lsRemote(['--symref', '--', url, 'HEAD'], { signal })
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
 * The commit at a branch, or at HEAD, of a remote that a stranger names: nobody's credentials are used for it.
 * @param patience seconds
 * @throws GIT_FAILED where it cannot be asked, or has no such branch
 */
export async function strangeHead(
  url: string,
  branch: string | undefined,
  { signal }: Context,
  patience: number = PATIENCE.ask,
): Promise<string> {
  const ref = branch === undefined ? 'HEAD' : `refs/heads/${branch}`
  const answer = await lsRemote(['--', url, ref], { signal, patience, env: anonymousEnvironment(), cwd: '/' })
  const commit = answer.stdout
    .split('\n')
    .map((line) => line.split('\t'))
    .find(([, name]) => name === ref)?.[0]
  if (answer.exitCode !== 0) throw unreadable(url, answer.stderr)
  if (commit !== undefined && /^[0-9a-f]{40,64}$/.test(commit)) return commit
  throw unreadable(url, `it has no ${ref}`)
}

/**
 * Names of a remote's tags, without refs/tags/.
 * @param patience seconds
 * @throws GIT_FAILED
 */
export async function remoteTags(url: string, { signal }: Context, patience: number = PATIENCE.ask): Promise<string[]> {
  const answer = await lsRemote(['--tags', '--refs', '--', url], { signal, patience })
  if (answer.exitCode !== 0) throw unreadable(url, answer.stderr)
  return answer.stdout.split('\n').flatMap((line) => /^[0-9a-f]+\trefs\/tags\/(\S+)$/.exec(line)?.[1] ?? [])
}

async function lsRemote(
  args: string[],
  { patience = PATIENCE.ask, env = gitEnvironment(), ...options }: RunOptions & { patience?: number },
): Promise<Finished> {
  const done = await runLimitedGit([...safety, 'ls-remote', ...args], patience, { ...options, env })
  return done.late ? { ...done, stderr: `it did not answer within ${patience} s` } : done
}

/** What of an environment would lead to credentials: home, agents, what asks, certificates. */
const personal = /^(HOME|XDG_CONFIG_HOME|SSH_.*|GIT_(SSH.*|ASKPASS|SSL_CERT.*|SSL_KEY|CONFIG_GLOBAL))$/

/** Without what this user's git and ssh would know a server by; of the host's own configuration all but helpers counts. */
function anonymousEnvironment(): Record<string, string> {
  const ssh = [
    '-F /dev/null',
    '-o BatchMode=yes',
    '-o IdentitiesOnly=yes',
    '-o IdentityFile=none',
    '-o IdentityAgent=none',
  ]
  return {
    ...Object.fromEntries(Object.entries(gitEnvironment()).filter(([name]) => !personal.test(name))),
    HOME: '/nonexistent',
    GIT_CONFIG_GLOBAL: '/dev/null',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'credential.helper',
    GIT_CONFIG_VALUE_0: '',
    GIT_ALLOW_PROTOCOL: 'http:https:git:ssh',
    GIT_SSH_COMMAND: `ssh ${ssh.join(' ')}`,
  }
}

function unreadable(url: string, why: string): Error {
  const said = why.trim().split('\n').slice(-2).join(' | ')
  return infrastructureError('GIT_FAILED', `${url} could not be read: ${said}`, `try it by hand: git ls-remote ${url}`)
}
