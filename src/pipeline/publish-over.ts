import { join } from 'node:path'
import type { PublishOver } from '../config/jenkins.js'
import { configurationError, infrastructureError, TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { sleep } from '../system/clock.js'
import { environment } from '../system/environment.js'
import {
  makeTemporaryDirectory,
  readTextIfThere,
  realPath,
  removeTree,
  symlink,
  targetStatusOf,
  writeNew,
} from '../system/files.js'
import { aborted, runAny } from '../system/process.js'
import { encodeRequest, excerpt, parseAnswer } from './publish-request.js'
import type { PublishAnswer, PublishRequest } from './publish-request.js'
import { connectionLost, explainSsh, isUnreached } from './ssh-log.js'

/** Under this name the publisher's host key is pinned, whatever name or address the host is reached by. */
const ALIAS = 'treeswap-publisher'

/** Where the forced command is missing, this is run, and not a shell that reads the request. */
const COMMAND = 'treeswap publisher'

/** milliseconds before each further try to connect */
const PAUSES = [2000, 8000]

export interface PublishOverOptions {
  pauses?: readonly number[]
}

/**
 * Asks the publisher, over SSH, to publish or go back. Only connecting is tried again: once the request may have been
 * read, whoever calls this has to look first.
 * @param keyFile private key without a passphrase
 * @throws SSH_KEY_MISSING, SSH_HOST_KEY, SSH_KEY_REFUSED, SSH_UNREACHABLE, SSH_LOST, ANSWER_INVALID, ANSWER_TOO_NEW,
 * ABORTED, and the publisher's own errors
 */
export async function publishOver(
  over: PublishOver,
  request: Omit<PublishRequest, 'schema'>,
  keyFile: string,
  context: Context,
  { pauses = PAUSES }: PublishOverOptions = {},
): Promise<PublishAnswer> {
  requireKey(keyFile)
  const directory = makeTemporaryDirectory(join(environment().TMPDIR ?? '/tmp', 'treeswap-ssh-'))
  try {
    writeNew(join(directory, 'known_hosts'), `${ALIAS} ${over.hostKey}\n`, 0o600)
    // ssh expands % and $ in names, and a Jenkins workspace may have them in its own
    symlink(realPath(keyFile), join(directory, 'key'))
    return await connect(over, encodeRequest(request), directory, context, pauses)
  } finally {
    removeTree(directory)
  }
}

async function connect(
  over: PublishOver,
  request: string,
  directory: string,
  context: Context,
  pauses: readonly number[],
): Promise<PublishAnswer> {
  context.report.step(`asking the publisher ${over.host}`)
  for (const [tried, pause] of [...pauses, undefined].entries()) {
    try {
      return await connectOnce(over, request, join(directory, `log-${tried}`), directory, context)
    } catch (error) {
      if (pause === undefined || !isUnreached(error)) throw error
      context.report.warn(`${error.message}: trying again in ${pause / 1000} seconds`)
      await sleep(pause, context.signal)
      if (context.signal.aborted) throw stopped(over)
    }
  }
  throw new Error('there is always a last try')
}

async function connectOnce(
  over: PublishOver,
  request: string,
  log: string,
  directory: string,
  context: Context,
): Promise<PublishAnswer> {
  const said: string[] = []
  const { exitCode, stdout } = await runAny('ssh', sshArguments(over, directory, log), {
    input: request,
    env: sshEnvironment(),
    signal: context.signal,
    onErrorLine: (line) => {
      said.push(line)
      if (said.length > 10) said.shift()
      context.report.line(line)
    },
  }).catch((error: unknown) => {
    throw error instanceof TreeswapError && error.category === 'aborted' ? stopped(over) : error
  })
  const sshSaid = readTextIfThere(log) ?? ''
  const refused = explainSsh(sshSaid, over)
  if (refused !== undefined) throw refused
  // ssh's own exit code, where the remote program did not come to its end
  if (exitCode === 255 && !isWhole(stdout)) throw connectionLost(over, sshSaid)
  if (stdout.trim() === '') throw noAnswer(over, exitCode, said)
  return parseAnswer(stdout, over.host)
}

/** All of it is said here: neither the user's nor the host's configuration of ssh is read. */
function sshArguments({ host, port, user }: PublishOver, directory: string, log: string): string[] {
  const options = {
    BatchMode: 'yes',
    CheckHostIP: 'no',
    ClearAllForwardings: 'yes',
    ConnectTimeout: '20',
    ControlPath: 'none',
    GlobalKnownHostsFile: '/dev/null',
    HostKeyAlias: ALIAS,
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    IdentityFile: join(directory, 'key'),
    LogLevel: 'VERBOSE',
    PreferredAuthentications: 'publickey',
    ServerAliveCountMax: '4',
    ServerAliveInterval: '15',
    StrictHostKeyChecking: 'yes',
    UpdateHostKeys: 'no',
    UserKnownHostsFile: join(directory, 'known_hosts'),
  }
  const given = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  return ['-F', '/dev/null', '-T', '-a', '-x', '-E', log, ...given, '-l', user, '-p', String(port), '--', host, COMMAND]
}

function sshEnvironment(): Record<string, string> {
  const { PATH = '/usr/bin:/bin', HOME = '/' } = environment()
  return { PATH, HOME, LC_ALL: 'C' }
}

function requireKey(file: string): void {
  if (targetStatusOf(file)?.isFile()) return
  throw configurationError(
    'SSH_KEY_MISSING',
    `there is no private key ${file}`,
    'name the file in TREESWAP_SSH_KEY; in Jenkins, see that jenkins.publish-over.credentials is the id of an SSH key',
  )
}

function isWhole(text: string): boolean {
  return text.trimEnd().endsWith('}')
}

function noAnswer({ host }: PublishOver, exitCode: number, said: readonly string[]): Error {
  return infrastructureError(
    'ANSWER_INVALID',
    `the publisher ${host} does not answer (exit code ${exitCode})${said.length === 0 ? '' : `: ${excerpt(said.join(' | '))}`}`,
    'see that treeswap is installed there, and that the command of the line in authorized_keys can be run by that user',
  )
}

function stopped({ host }: PublishOver): TreeswapError {
  const { code, category } = aborted(host)
  return new TreeswapError(code, `publishing on ${host} was stopped on request`, {
    category,
    hint: 'the publisher stops, too, unless it had swapped by then: `treeswap status` there says',
  })
}
