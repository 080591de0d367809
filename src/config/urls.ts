import { isAbsolute, resolve } from 'node:path'

/** What is wrong with a git URL, as a sentence; undefined when nothing is. */
export function gitUrlProblem(url: string): string | undefined {
  if (url.startsWith('-') || /\s/.test(url)) return 'this is no git URL'
  if (isPath(url)) return undefined
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase()
  if (scheme === undefined) {
    // scp's form, host:path; "helper::address" would make git start another program
    return /^([A-Za-z0-9_.-]+@)?[A-Za-z0-9.-]+:(?!:)[^-].*$/.test(url) ? undefined : 'this is no git URL'
  }
  if (!['https', 'http', 'ssh', 'git', 'file'].includes(scheme)) {
    return `git URLs with ${scheme}: are not supported (use https, ssh, git, file or a path)`
  }
  if (!URL.canParse(url)) return 'this is no git URL'
  const { username, password } = new URL(url)
  const secret = password !== '' || (username !== '' && scheme !== 'ssh')
  return secret
    ? 'a URL must not carry a user name or password: it would end up in logs. Use a git credential helper, or ssh with a deploy key'
    : undefined
}

/** A path relative to the configuration file becomes absolute; any other URL stays as it is. */
export function resolveGitUrl(url: string, directory: string): string {
  return isPath(url) ? resolve(directory, url) : url
}

function isPath(url: string): boolean {
  return isAbsolute(url) || /^\.{1,2}(\/|$)/.test(url)
}

/** What is wrong with the URL under which clients reach this publisher, as a sentence; undefined when nothing is. */
export function baseUrlProblem(url: string, schemes: readonly string[]): string | undefined {
  const expected = `write it as ${schemes.map((scheme) => `${scheme}://HOST`).join(' or ')}, with :PORT where it differs`
  if (/\s/.test(url) || !schemes.some((scheme) => url.toLowerCase().startsWith(`${scheme}://`)) || !URL.canParse(url)) {
    return `this is no such URL: ${expected}`
  }
  const { username, password, pathname, search, hash, hostname } = new URL(url)
  if (username !== '' || password !== '') return 'clients get this URL: it must not carry a user name or password'
  // servers' configurations and Portage's take it unquoted; a URL's own rules would allow ";" and more
  if (!/^([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])$/.test(hostname)) {
    return `${JSON.stringify(hostname)} is no host name: ${expected}`
  }
  if (search !== '' || hash !== '') return `this is no such URL: ${expected}`
  if (schemes.includes('rsync') && pathname !== '' && pathname !== '/') {
    return 'rsync modules lie at the top of a host: leave the path off'
  }
  return undefined
}

export function withoutTrailingSlash(url: string): string {
  return url.replace(/\/+$/, '')
}

/** What is wrong with the base URL of a server that is logged in to, as a sentence; undefined when nothing is. */
export function serverUrlProblem(url: string): string | undefined {
  const expected = 'write it as https://HOST/ or http://HOST/, with :PORT and path where it has them'
  if (/[\s\p{Cc}]/u.test(url) || !/^https?:\/\/[^/]/i.test(url) || !URL.canParse(url)) {
    return `this is no such URL: ${expected}`
  }
  const { username, password, search, hash } = new URL(url)
  if (username !== '' || password !== '') {
    return 'it must not carry a user name or password, which would end up in logs: give the user by name and the API token in a file'
  }
  return search !== '' || hash !== '' ? `this is no such URL: ${expected}` : undefined
}
