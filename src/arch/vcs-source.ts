import { gitUrlProblem } from '../config/urls.js'

/** A git repository that a recipe follows: what it holds is known only by asking. */
export interface FollowedSource {
  url: string
  /** undefined: the remote's own HEAD */
  branch: string | undefined
}

/**
 * The git repository that an entry of `source` follows (PKGBUILD(5), "Using VCS sources"); undefined for everything
 * else, also where a commit or tag is named, or a place on this host's disk.
 * @param entry `[NAME::]git+URL[#FRAGMENT][?QUERY]`, or with git:// instead
 */
export function followedSource(entry: string): FollowedSource | undefined {
  const address = entry.replace(/^[^/]*?::/, '')
  const [, url = '', fragment = ''] = /^(?:git\+)?([^#?]+)(?:\?[^#]*)?(?:#([^?]*))?/.exec(address) ?? []
  // makepkg may have more forms, but the host is asked: of its disk, or by its user's names for hosts, nothing is
  if (!/^git(\+|:\/\/)/.test(address) || !/^(https?|git|ssh):\/\//.test(url)) return undefined
  if (gitUrlProblem(url) !== undefined) return undefined
  if (fragment === '') return { url, branch: undefined }
  const branch = /^branch=(.+)$/.exec(fragment)?.[1]
  return branch === undefined || !/^[A-Za-z0-9_][A-Za-z0-9_./-]*$/.test(branch) ? undefined : { url, branch }
}

/** Programs that makepkg fetches sources with, and what of a source names one state of it for ever (PKGBUILD(5)). */
const pins: Record<string, RegExp> = {
  bzr: /^revision=/,
  fossil: /^(commit|tag)=/,
  git: /^(commit|tag)=/,
  hg: /^(revision|tag)=/,
  svn: /^revision=/,
}

/** Whether an entry of `source` may hold something else tomorrow, and nobody will be asked for it. */
export function isUnwatched(entry: string): boolean {
  const address = entry.replace(/^[^/]*?::/, '')
  const [, program = '', fragment = ''] = /^([a-z]+)(?:\+|:\/\/)[^#]*(?:#([^?]*))?/.exec(address) ?? []
  const pin = pins[program]
  return pin !== undefined && !pin.test(fragment) && followedSource(entry) === undefined
}
