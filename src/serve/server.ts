import { configurationError } from '../model/errors.js'

/** What the servers' configurations are made from. */
export interface Publisher {
  /** the publisher's directory, absolute */
  root: string
  /** base URLs as clients reach it, without a slash at the end */
  rsync?: string
  http?: string
}

/** What may stand in the configuration of any of these servers without quoting. */
const plainPath = /^\/[A-Za-z0-9_.,+@=/-]*$/

/** Directory that is served: one link for each tree. @throws PATH_UNSUPPORTED */
export function servedDirectory({ root }: Publisher): string {
  return `${root === '/' ? '' : plainDirectory(root)}/published`
}

/** A directory as it may stand in such a configuration. @throws PATH_UNSUPPORTED */
export function plainDirectory(directory: string): string {
  if (plainPath.test(directory)) return directory
  throw configurationError(
    'PATH_UNSUPPORTED',
    `${directory} has characters that mean something in the configuration of a server`,
    'keep what is served at a path of letters, digits and _ . , + @ = -',
  )
}

/** Host, port and path of the web server as its clients see it; undefined where the configuration names none. */
export function webAddress({
  http,
}: Publisher): { secure: boolean; host: string; port: number; path: string } | undefined {
  if (http === undefined) return undefined
  const { protocol, hostname, port, pathname } = new URL(http)
  const secure = protocol === 'https:'
  const path = pathname.replace(/\/+$/, '')
  if (!plainPath.test(`/${path}`)) {
    throw configurationError(
      'PATH_UNSUPPORTED',
      `the path of ${http} has characters that mean something in the configuration of a server`,
      'use letters, digits and _ . , + @ = - in the path of publisher.http',
    )
  }
  return { secure, host: hostname, port: port === '' ? (secure ? 443 : 80) : Number(port), path }
}

/** Tree names as they occur in URLs (model/names.ts), as a regular expression. */
export const TREE = '[A-Za-z0-9][A-Za-z0-9_.+-]*'

/** What lies below `os/` of a pacman repo (pacman-package.ts), as a regular expression: no name begins with a dot. */
export const REPO_FILE = '[a-z0-9_]+/[A-Za-z0-9@_+][A-Za-z0-9@._+:~^-]*'

/** Seconds for which clients and proxies may keep what never changes. */
export const FOREVER = 31_536_000
