import type * as z from 'zod'
import type { Report } from '../model/report.js'
import type { HttpAnswer } from '../system/http.js'

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

export interface JenkinsOptions {
  signal?: AbortSignal
  /** told when something is tried again */
  report?: Report
  limits?: Partial<Limits>
}

/** All in milliseconds. */
export interface Limits {
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
 * @throws in every method JENKINS_UNREACHABLE, JENKINS_SILENT, JENKINS_BROKEN, JENKINS_CERTIFICATE, JENKINS_UNAUTHORIZED,
 * JENKINS_FORBIDDEN, JENKINS_NOT_FOUND, JENKINS_MOVED, JENKINS_LOGIN_PAGE, JENKINS_FAILED, JENKINS_ANSWER, ABORTED
 */
export interface Jenkins {
  /** base URL with a slash at its end; may be shown */
  readonly url: string
  /** what `PATH/api/json?tree=TREE` answers */
  getJson<T>(path: string, tree: string, schema: z.ZodType<T>): Promise<T>
  /** a text, config.xml for instance, of at most `maximum` bytes (default 8 MiB) */
  getText(path: string, maximum?: number): Promise<string>
  /** whether there is a job, folder or build at `path` that this user may see */
  exists(path: string): Promise<boolean>
  /** a file as it is sent; the answer is 200, or 206 where it begins at an `offset` */
  download(path: string, offset?: number): Promise<HttpAnswer>
  /** posts a form; 200, 201, 302 and 303 are success. Repeated only where nothing was sent. */
  post(path: string, form?: Readonly<Record<string, string>>): Promise<Posted>
  /** posts XML; success as with `post` */
  postXml(path: string, xml: string): Promise<Posted>
}

export interface Posted {
  status: number
  /** header Location; only to take numbers from: it names the root URL that Jenkins is configured with */
  location: string | undefined
}

/** @throws JENKINS_URL_INVALID, JENKINS_USER_INVALID */
export function openJenkins(access: Access, options: JenkinsOptions = {}): Jenkins {
  throw new Error(`not there yet: ${access.url} ${options.limits?.idle ?? ''}`)
}
