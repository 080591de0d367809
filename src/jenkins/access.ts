import type { JenkinsConfig } from '../config/jenkins.js'
import { serverUrlProblem } from '../config/urls.js'
import { configurationError } from '../model/errors.js'
import { jenkinsEnvironment } from '../system/environment.js'
import { errorCode, readText, targetStatusOf } from '../system/files.js'

/** Where a Jenkins is and who asks. Without a token and a password it is asked anonymously. */
export interface Access {
  /** base URL; it may have a context path, and has no credentials */
  url: string
  user?: string
  /** API token: nothing else is needed */
  token?: string
  /** … or a password, which needs a crumb and a session */
  password?: string
}

/** A token is 34 characters; a file with more than this is something else. */
const MAX_TOKEN = 4096

/**
 * The access that the configuration says, and the environment where it is silent on the URL (JENKINS_URL). User and
 * secret belong together: those of the environment (TREESWAP_JENKINS_USER with TREESWAP_JENKINS_TOKEN or
 * TREESWAP_JENKINS_PASSWORD), which a job binds, go first; else those of the configuration. Where the environment names a Jenkins, as that of every job
 * does, credentials go to no other: a configuration that comes from a repository must not send them elsewhere.
 * @throws JENKINS_URL_MISSING, JENKINS_URL_INVALID, JENKINS_URL_DIFFERENT, TOKEN_FILE
 */
export function accessTo(config: JenkinsConfig | undefined): Access {
  const given = jenkinsEnvironment()
  const url = config?.url ?? given.url
  if (url === undefined) {
    throw configurationError(
      'JENKINS_URL_MISSING',
      'it is not known where Jenkins is',
      'write url under jenkins in the configuration, or set JENKINS_URL in the environment',
    )
  }
  validUrl(url)
  const bound = given.token ?? given.password
  const user = bound === undefined ? (config?.user ?? given.user) : (given.user ?? config?.user)
  const known = { url, ...(user !== undefined && { user }) }
  if ((bound ?? config?.tokenFile) === undefined) return known
  if (given.url !== undefined && validUrl(given.url).origin !== validUrl(url).origin) {
    throw configurationError(
      'JENKINS_URL_DIFFERENT',
      `the environment names the Jenkins at ${validUrl(given.url).origin}, the configuration that at ${validUrl(url).origin}`,
      'credentials are sent to neither: make jenkins.url and JENKINS_URL the same, or unset JENKINS_URL',
    )
  }
  if (given.token !== undefined) return { ...known, token: given.token }
  if (given.password !== undefined) return { ...known, password: given.password }
  return { ...known, ...(config?.tokenFile !== undefined && { token: readToken(config.tokenFile) }) }
}

/** @throws JENKINS_URL_INVALID, without repeating what may be a password */
export function validUrl(url: string): URL {
  const problem = serverUrlProblem(url)
  if (problem === undefined) return new URL(url)
  throw configurationError(
    'JENKINS_URL_INVALID',
    `the URL of Jenkins cannot be used: ${problem}`,
    'mend jenkins.url in the configuration, or JENKINS_URL; credentials belong into token-file or TREESWAP_JENKINS_TOKEN',
  )
}

function readToken(file: string): string {
  const wrong = (why: string): Error =>
    configurationError(
      'TOKEN_FILE',
      `the file with the API token, ${file}, ${why}`,
      'make a token in Jenkins (your name, Security, API Token), write it into that file alone, ' +
        'give the file the group of the user who runs this, and chmod 0640 it',
    )
  try {
    const status = targetStatusOf(file)
    if (status === undefined) throw wrong('is not there')
    if (!status.isFile() || status.size > MAX_TOKEN) throw wrong('is no file with a token')
    if ((status.mode & 0o007) !== 0) throw wrong('can be read or changed by everybody')
    const token = readText(file).trim()
    if (!/^[!-~]+$/.test(token)) throw wrong('does not hold one word')
    return token
  } catch (error) {
    throw errorCode(error) === 'EACCES' ? wrong('cannot be read by this user') : error
  }
}
