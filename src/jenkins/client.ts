import type { Readable } from 'node:stream'
import * as z from 'zod'
import { TreeswapError } from '../model/errors.js'
import type { Report } from '../model/report.js'
import { sleep } from '../system/clock.js'
import { HttpFault, request } from '../system/http.js'
import type { HttpAnswer, HttpRequest } from '../system/http.js'
import { aborted } from '../system/process.js'
import { version } from '../system/version.js'
import { validUrl } from './access.js'
import type { Access } from './access.js'
import {
  explainFault,
  isBusy,
  isLogin,
  lacksCrumb,
  loginPage,
  pageOf,
  refusal,
  refusePage,
  strange,
  textOf,
} from './answers.js'
import { resumed } from './download.js'
import { acceptPosted, isRedirect, nextPlace } from './redirects.js'
import { crumbSchema, openSession } from './session.js'

export interface JenkinsOptions {
  signal?: AbortSignal
  /** told when something is tried again */
  report?: Report
  limits?: Partial<Limits>
}

/** All in milliseconds. */
interface Limits {
  /** until the head of an answer is there */
  answer: number
  /** that a body may pause */
  idle: number
  /** before each further try of what may be repeated */
  pauses: readonly number[]
}

/**
 * One Jenkins. Paths are relative to its base URL, without a slash at the beginning (see jobPath). Credentials go to
 * the origin of the base URL only, and are in no message.
 * @throws in every method JENKINS_UNREACHABLE, JENKINS_CERTIFICATE, JENKINS_SILENT, JENKINS_BROKEN, JENKINS_BUSY,
 * JENKINS_UNAUTHORIZED, JENKINS_FORBIDDEN, JENKINS_NOT_FOUND, JENKINS_REFUSED, JENKINS_FAILED, JENKINS_MOVED,
 * JENKINS_LOGIN_PAGE, JENKINS_ANSWER, ABORTED
 */
export interface Jenkins {
  /** base URL with a slash at its end; may be shown */
  readonly url: string
  /** what `PATH/api/json?tree=TREE` answers; '' is Jenkins itself */
  getJson<T>(path: string, tree: string, schema: z.ZodType<T>): Promise<T>
  /** a text, config.xml for instance, of at most `maximum` bytes (default 8 MiB), with the headers of the answer */
  getText(path: string, maximum?: number): Promise<{ text: string; headers: Headers }>
  /** whether there is a job, folder or build at `path` that this user may see */
  exists(path: string): Promise<boolean>
  /**
   * A file, which may lie elsewhere. Goes on where the connection broke.
   * @param size bytes that it should have; not much more is read
   */
  download(path: string, size?: number): Promise<Readable>
  /** posts a form; 200, 201, 302 and 303 are success. Repeated only where nothing was sent. */
  post(path: string, form?: Readonly<Record<string, string>>): Promise<Posted>
  /** posts XML; success as with `post` */
  postXml(path: string, xml: string): Promise<Posted>
}

interface Posted {
  status: number
  /** header Location; only to take numbers from: it names the root URL that Jenkins is configured with */
  location: string | undefined
}

const LIMITS: Limits = { answer: 60_000, idle: 60_000, pauses: [1000, 3000, 9000] }
const MAX_TEXT = 8 * 2 ** 20
const MAX_REDIRECTS = 5
/** what means that a POST was done */
const POSTED = new Set([200, 201, 302, 303])

/** @throws JENKINS_URL_INVALID */
export function openJenkins(access: Access, options: JenkinsOptions = {}): Jenkins {
  const base = validUrl(access.url.endsWith('/') ? access.url : `${access.url}/`)
  const limits = { ...LIMITS, ...options.limits }
  const { signal, report } = options
  const user = access.token === undefined && access.password === undefined ? undefined : access.user
  const session = openSession(access, fetchCrumb)

  function ask(url: URL, what: Pick<HttpRequest, 'method' | 'headers' | 'body'>, stop = signal): Promise<HttpAnswer> {
    const headers = { 'user-agent': `treeswap/${version()}`, ...what.headers }
    return request(url, { ...what, headers, answerWithin: limits.answer, idle: limits.idle, signal: stop })
  }

  /** A GET with its redirects; once it has left Jenkins, no credentials go with it any more. */
  async function get(
    start: URL,
    headers: Record<string, string>,
    mayLeave = false,
    stop = signal,
  ): Promise<HttpAnswer> {
    let url = start
    let atHome = true
    for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
      atHome &&= url.origin === base.origin
      const own = atHome ? session.headers() : {}
      const answer = await ask(url, { method: 'GET', headers: { ...headers, ...own } }, stop)
      if (atHome) session.keepCookies(answer.headers)
      if (!isRedirect(answer.status)) return answer
      answer.close()
      url = nextPlace(url, answer.headers.get('location'), base.origin, mayLeave)
    }
    throw strange(start, 'redirects without an end')
  }

  /** A whole text. Asking for it again changes nothing. */
  function getWhole(url: URL, accept: string, maximum: number): Promise<{ text: string; headers: Headers }> {
    return persist('GET', url, isTransient, async () => {
      const answer = await get(url, { accept })
      requireSuccess(answer)
      return { text: await textOf(answer, maximum), headers: answer.headers }
    })
  }

  function requireSuccess(answer: HttpAnswer): void {
    const { status, url } = answer
    if (status !== 200 && status !== 206) {
      answer.close()
      throw refusal(answer, url.origin === base.origin ? user : undefined)
    }
    refusePage(answer)
  }

  /** One POST, and of an answer that means something else than it says the page. */
  async function sendOnce(url: URL, contentType: string, body: string): Promise<HttpAnswer & { page: string }> {
    const headers = { 'content-type': contentType, ...(await session.postHeaders()) }
    const answer = await ask(url, { method: 'POST', headers, body })
    session.keepCookies(answer.headers)
    const page = answer.status === 200 || answer.status === 403 ? await pageOf(answer) : ''
    answer.close()
    return { ...answer, page }
  }

  function send(path: string, contentType: string, body: string): Promise<Posted> {
    const url = new URL(path, base)
    return persist('POST', url, isUnsent, async () => {
      let answer = await sendOnce(url, contentType, body)
      if (lacksCrumb(answer.status, answer.page)) {
        session.renewCrumb()
        answer = await sendOnce(url, contentType, body)
      }
      const { status, headers, page } = answer
      const location = headers.get('location')
      if (isRedirect(status)) acceptPosted(url, location)
      if (!POSTED.has(status)) throw refusal(answer, user)
      if (isLogin(page, headers)) throw loginPage(url)
      return { status, location: location ?? undefined }
    })
  }

  async function fetchCrumb(): Promise<z.infer<typeof crumbSchema> | undefined> {
    return orMissing(getJson('crumbIssuer', 'crumb,crumbRequestField', crumbSchema))
  }

  async function getJson<T>(path: string, tree: string, schema: z.ZodType<T>): Promise<T> {
    const url = new URL(`${path === '' ? '' : `${path}/`}api/json`, base)
    url.searchParams.set('tree', tree)
    const { text } = await getWhole(url, 'application/json', MAX_TEXT)
    return checkJson(url, text, schema)
  }

  /** Does it again, after pauses, as long as `mayRepeat` says that it is harmless and may help. */
  async function persist<T>(
    method: 'GET' | 'POST',
    url: URL,
    mayRepeat: (error: unknown) => boolean,
    action: () => Promise<T>,
  ): Promise<T> {
    for (const pause of limits.pauses) {
      try {
        return await action()
      } catch (error) {
        const explained = explainFault(error, method, url)
        if (!mayRepeat(error)) throw explained
        await waitBefore(pause, explained)
      }
    }
    return action().catch((error: unknown) => {
      throw explainFault(error, method, url)
    })
  }

  async function waitBefore(pause: number, error: unknown): Promise<void> {
    report?.warn(`${error instanceof Error ? error.message : String(error)}: trying again in ${pause / 1000} seconds`)
    await sleep(pause, signal)
    if (signal?.aborted) throw aborted(`waiting for ${base.origin}`)
  }

  return {
    url: base.href,
    getJson,
    getText: (path, maximum = MAX_TEXT) => getWhole(new URL(path, base), 'application/xml, text/plain', maximum),
    exists: async (path) => {
      return (await orMissing(getJson(path, 'name,fullName,number', z.looseObject({})))) !== undefined
    },
    download: (path, size) => {
      const url = new URL(path, base)
      const open = (headers: Record<string, string>, stop: AbortSignal): Promise<HttpAnswer> =>
        persist('GET', url, isTransient, async () => {
          const answer = await get(url, headers, true, stop)
          requireSuccess(answer)
          return answer
        })
      const { pauses } = limits
      return resumed({ open, size, pauses, waitBefore, explain: (error) => explainFault(error, 'GET', url) }, signal)
    },
    post: (path, form = {}) =>
      send(path, 'application/x-www-form-urlencoded; charset=utf-8', new URLSearchParams(form).toString()),
    postXml: (path, xml) => send(path, 'application/xml; charset=utf-8', xml),
  }
}

/** undefined where Jenkins has no such thing, or hides it */
export function orMissing<T>(promise: Promise<T>): Promise<T | undefined> {
  return promise.catch((error: unknown) => {
    if (error instanceof TreeswapError && error.code === 'JENKINS_NOT_FOUND') return undefined
    throw error
  })
}

function checkJson<T>(url: URL, text: string, schema: z.ZodType<T>): T {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (cause) {
    if (/^\s*</.test(text)) throw loginPage(url)
    throw strange(url, `no JSON, or half of it (${text.length} characters)`, cause)
  }
  const result = schema.safeParse(data)
  if (result.success) return result.data
  throw strange(url, `JSON that Jenkins does not write (${z.prettifyError(result.error).replaceAll('\n', ' ')})`)
}

function isTransient(error: unknown): boolean {
  return (error instanceof HttpFault && error.kind !== 'untrusted') || isBusy(error)
}

function isUnsent(error: unknown): boolean {
  return error instanceof HttpFault && error.kind === 'unreachable'
}
