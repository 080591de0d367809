import { configurationError, infrastructureError, TreeswapError } from '../model/errors.js'
import { HttpFault } from '../system/http.js'
import type { HttpAnswer } from '../system/http.js'

/** Nothing that is said in an error page comes later. */
const ERROR_PAGE = 2 ** 16

/** The body of an answer as text. @throws JENKINS_ANSWER where it has more than `maximum` bytes, HttpFault */
export async function textOf(answer: HttpAnswer, maximum: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer.body) {
    size += chunk.length
    if (size > maximum) throw strange(answer.url, `it has more than ${maximum} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The beginning of an error page; what could not be read of it is left out. */
export async function pageOf(answer: HttpAnswer): Promise<string> {
  let text = ''
  try {
    for await (const chunk of answer.body) {
      text += chunk.toString('latin1')
      if (text.length > ERROR_PAGE) break
    }
  } catch (error) {
    if (!(error instanceof HttpFault)) throw error
  }
  return text
}

/** Whether a refused POST was refused for its crumb alone: it has done nothing then. */
export function lacksCrumb(status: number, page: string): boolean {
  return status === 403 && /crumb/i.test(page)
}

/** Whether the page that a POST was answered with asks for a password, or comes from something before Jenkins. */
export function isLogin(page: string, headers: Headers): boolean {
  if (/<input[^>]*\btype=["']?password|\bj_username\b/i.test(page)) return true
  return /^\s*<(!doctype html|html)\b/i.test(page) && !headers.has('x-jenkins') && !headers.has('x-hudson')
}

/** Jenkins and proxies before it answer 502 to 504 while it starts. */
export function isBusy(error: unknown): boolean {
  return error instanceof TreeswapError && error.code === 'JENKINS_BUSY'
}

/** The coded error for an answer that is no success. */
export function refusal({ url, status, headers }: HttpAnswer, user: string | undefined): TreeswapError {
  const place = placeOf(url)
  const who = user === undefined ? 'an anonymous user' : `the user ${user}`
  const foreign = headers.has('x-jenkins') ? '' : '; what answers there may be no Jenkins: compare jenkins.url'
  if (status === 401) {
    return configurationError(
      'JENKINS_UNAUTHORIZED',
      `Jenkins does not accept the credentials of ${who} (401 at ${place})`,
      'see that user and API token belong together and the token was not revoked; the user is an id, not a full name',
    )
  }
  if (status === 403) {
    return configurationError(
      'JENKINS_FORBIDDEN',
      `Jenkins does not let ${who} do this (403 at ${place})`,
      user === undefined
        ? 'give user and API token: user and token-file under jenkins, or TREESWAP_JENKINS_USER and TREESWAP_JENKINS_TOKEN'
        : `give ${user} Overall/Read and Job/Read, Job/Build to start builds, Job/Configure and Job/Create for jobs`,
    )
  }
  if (status === 404) {
    return configurationError(
      'JENKINS_NOT_FOUND',
      `Jenkins has no ${place}, or hides it from ${who}`,
      `see that the name with its folders is right and ${who} has Job/Read there${foreign}`,
    )
  }
  if (status >= 502 && status <= 504) {
    return infrastructureError(
      'JENKINS_BUSY',
      `Jenkins is not ready (${status} at ${place})`,
      'it is starting, or the proxy before it does not reach it: try again when its start page is there',
    )
  }
  if (status >= 500) {
    return infrastructureError(
      'JENKINS_FAILED',
      `Jenkins failed (${status} at ${place})${reason(headers)}`,
      'its own log (Manage Jenkins, System Log) says why; try again when that is mended',
    )
  }
  return configurationError(
    'JENKINS_REFUSED',
    `Jenkins refuses this request (${status} at ${place})${reason(headers)}`,
    `its own log (Manage Jenkins, System Log) may say more${foreign}`,
  )
}

/** The coded error for a request that got no whole answer. */
export function explainFault(error: unknown, method: 'GET' | 'POST', url: URL): unknown {
  if (!(error instanceof HttpFault)) return error
  const { kind, message } = error
  const unsure = method === 'POST' ? 'see in Jenkins whether it was done before you repeat it; ' : ''
  if (kind === 'unreachable') {
    return infrastructureError(
      'JENKINS_UNREACHABLE',
      `${url.origin} cannot be reached: ${message}`,
      'see that Jenkins runs, and that this host can reach it under that name and port',
      error,
    )
  }
  if (kind === 'untrusted') {
    return configurationError(
      'JENKINS_CERTIFICATE',
      `${url.origin} shows a certificate that is not trusted: ${message}`,
      'name the file of your certificate authority in the environment: NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt',
      error,
    )
  }
  if (kind === 'silent') {
    return infrastructureError(
      'JENKINS_SILENT',
      `${placeOf(url)} stopped answering: ${message}`,
      `${unsure}look at the load of Jenkins and the proxy before it, then try again`,
      error,
    )
  }
  return infrastructureError(
    'JENKINS_BROKEN',
    `the answer of ${placeOf(url)} broke off: ${message}`,
    `${unsure}look at the network and the proxy before Jenkins, then try again`,
    error,
  )
}

/** @throws JENKINS_LOGIN_PAGE where a page for people came instead of data */
export function refusePage(answer: HttpAnswer): void {
  if (!/^\s*(text\/html|application\/xhtml)/i.test(answer.headers.get('content-type') ?? '')) return
  answer.close()
  throw loginPage(answer.url)
}

export function loginPage(url: URL): Error {
  return configurationError(
    'JENKINS_LOGIN_PAGE',
    `${placeOf(url)} answers with a page for people, where data was asked for`,
    'this is mostly a login page: give user and API token, see that a proxy before Jenkins lets them through, and that jenkins.url is right',
  )
}

/** An answer that is not what was asked for. */
export function strange(url: URL, why: string, cause?: unknown): Error {
  return infrastructureError(
    'JENKINS_ANSWER',
    `${placeOf(url)} answers something else than was asked for: ${why}`,
    'see with a browser what lies there; where a proxy is between, it may have cut or replaced it',
    cause,
  )
}

/** A URL as it may be shown: queries of redirects hold signatures. */
export function placeOf({ origin, pathname }: URL): string {
  return origin + pathname
}

/** What Jenkins says about a refusal, on one line. */
function reason(headers: Headers): string {
  const text = headers.get('x-error')?.replace(/[\p{Cc}\s]+/gu, ' ')
  return text === undefined || text === '' ? '' : `: ${text.slice(0, 300)}`
}
