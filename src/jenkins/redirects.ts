import { configurationError } from '../model/errors.js'
import { loginPage, placeOf, strange } from './answers.js'

const REDIRECTS = new Set([301, 302, 303, 307, 308])
/** where Jenkins and its security realms send those who are not logged in */
const LOGIN = /\/(login|loginEntry|j_[a-z_]+|securityRealm\/[A-Za-z]+|oauth2?\/[a-z]+)\/?$/

export function isRedirect(status: number): boolean {
  return REDIRECTS.has(status)
}

/**
 * Where a GET goes on. Artifacts may lie elsewhere (a resource root URL, an object store); everything else is
 * Jenkins' own.
 * @throws JENKINS_MOVED, JENKINS_LOGIN_PAGE, JENKINS_ANSWER
 */
export function nextPlace(from: URL, location: string | null, home: string, mayLeave: boolean): URL {
  const next = parse(from, location)
  if (next.origin === home && LOGIN.test(next.pathname)) throw loginPage(from)
  const weaker = from.protocol === 'https:' && next.protocol === 'http:'
  if (next.origin !== home && (!mayLeave || weaker || next.pathname + next.search === from.pathname + from.search)) {
    throw moved(from, next)
  }
  return next
}

/**
 * Whether a redirect is how Jenkins ends a POST: it shows what was made. A redirect to a login or to the same path
 * elsewhere (http to https, mostly) means that nothing was done.
 * @throws JENKINS_MOVED, JENKINS_LOGIN_PAGE, JENKINS_ANSWER
 */
export function acceptPosted(from: URL, location: string | null): void {
  const next = parse(from, location)
  if (LOGIN.test(next.pathname)) throw loginPage(from)
  const same = next.pathname === from.pathname && next.origin !== from.origin
  const elsewhere = next.hostname !== from.hostname && !/\/queue\/item\/[0-9]+\/?$/.test(next.pathname)
  if (same || elsewhere) throw moved(from, next)
}

function parse(from: URL, location: string | null): URL {
  if (location === null || !URL.canParse(location, from.href)) throw strange(from, 'a redirect that leads nowhere')
  const next = new URL(location, from)
  if (!/^https?:$/.test(next.protocol) || next.username !== '' || next.password !== '') {
    throw strange(from, 'a redirect that cannot be followed')
  }
  return next
}

function moved(from: URL, to: URL): Error {
  return configurationError(
    'JENKINS_MOVED',
    `${placeOf(from)} sends requests on to ${to.origin}, where credentials are not sent`,
    `if Jenkins itself lives there, write jenkins.url (or JENKINS_URL) with ${to.origin}; else a proxy before Jenkins wants a login`,
  )
}
