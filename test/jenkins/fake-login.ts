import type { IncomingMessage, ServerResponse } from 'node:http'

export interface FakeUser {
  token: string
  password: string
  /** full names of jobs (and what is below) that are hidden from this user */
  hidden?: string[]
  /** may only read */
  readOnly?: boolean
}

/** The field that today's Jenkins names, and its value for one session. */
export const CRUMB_FIELD = 'Jenkins-Crumb'
export const crumbOf = (session: string): string => `crumb-of-${session}`
let sessions = 0

/** What is refused; undefined where the request may go on. Jenkins answers 401 to wrong credentials, 403 to none. */
export function authorize(
  users: Record<string, FakeUser>,
  { headers, method }: IncomingMessage,
  path: string,
  response: ServerResponse,
): { status: number; reason: string; headers?: Record<string, string> } | undefined {
  const session = sessionOf(headers.cookie)
  if (headers.authorization === undefined) {
    return { status: 403, reason: "Authentication required; window.location.replace('/login?from=%2F')" }
  }
  const [name = '', secret] = Buffer.from(headers.authorization.replace(/^Basic /, ''), 'base64')
    .toString()
    .split(':')
  const user = users[name]
  if (user === undefined || (secret !== user.token && secret !== user.password)) {
    return { status: 401, reason: 'Unauthorized', headers: { 'www-authenticate': 'Basic realm="Jenkins"' } }
  }
  const full = [...path.matchAll(/\/job\/([^/]+)/g)].map(([, segment]) => decodeURIComponent(segment ?? '')).join('/')
  if (user.hidden?.some((job) => `${full}/`.startsWith(`${job}/`))) return { status: 404, reason: 'Not Found' }
  if (secret === user.password) {
    if (session === undefined) response.setHeader('set-cookie', `JSESSIONID.1=s${++sessions}; Path=/; HttpOnly`)
    if (method === 'POST' && (session === undefined || headers[CRUMB_FIELD.toLowerCase()] !== crumbOf(session))) {
      return { status: 403, reason: 'No valid crumb was included in the request' }
    }
  }
  if (method === 'POST' && user.readOnly === true)
    return { status: 403, reason: `${name} is missing the Job/Build permission` }
  return undefined
}

/** The session of a request, or the one that its answer begins. */
export function sessionFor(request: string | undefined, response: ServerResponse): string {
  return sessionOf(request) ?? sessionOf(String(response.getHeader('set-cookie') ?? '')) ?? 'none'
}

function sessionOf(cookie: string | undefined): string | undefined {
  return /JSESSIONID\.1=([a-z0-9]+)/.exec(cookie ?? '')?.[1]
}
