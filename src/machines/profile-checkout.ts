import { join, relative } from 'node:path'
import type { MachineConfig } from '../config/config.js'
import { findProfile } from '../gentoo/profile.js'
import { contentOf, fetchGit } from '../git/git.js'
import type { Checkout } from '../git/git.js'
import type { Input } from '../model/build.js'
import { configurationError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { errorCode, isDirectory, listDirectory, realPath } from '../system/files.js'

export interface MachineProfile {
  /** the machine's directory in the checkout, without a link in its path */
  directory: string
  input: Omit<Input, 'name'>
}

/**
 * The machine's directory in a fresh checkout of its profile, and what names its content.
 * @param clone where the checkout is kept; the caller holds its lock
 * @throws GIT_FAILED, PROFILE_MISSING, PROFILE_OUTSIDE, PROFILE_LINK
 */
export async function fetchProfile(machine: MachineConfig, clone: string, context: Context): Promise<MachineProfile> {
  const { url, branch } = machine.profile
  return profileIn(await fetchGit({ url, branch }, clone, context), machine, context)
}

/**
 * The same of a checkout that is there.
 * @throws PROFILE_MISSING, PROFILE_OUTSIDE, PROFILE_LINK, GIT_FAILED
 */
export async function profileIn(
  checkout: Checkout,
  { profile: { url, path = '' } }: MachineConfig,
  context: Context,
): Promise<MachineProfile> {
  const inside = resolveInside(checkout.directory, path, url)
  const directory = join(checkout.directory, inside)
  findProfile(directory, path === '' ? url : `${path} of ${url}`)
  const { commit, commitTime } = checkout
  const fingerprint = await contentOf(checkout, inside, context)
  return { directory, input: { url, commit, commitTime, fingerprint } }
}

/** The path without links: several machines may share a directory by link, but no link may lead out of the checkout. */
function resolveInside(clone: string, path: string, url: string): string {
  const real = realIfThere(join(clone, path))
  const inside = real === undefined ? undefined : relative(realPath(clone), real)
  if (inside !== undefined && /^(\.\.|\.git)(\/|$)/.test(inside)) {
    throw configurationError(
      'PROFILE_OUTSIDE',
      `the directory ${path} of ${url} leads out of what the repository holds`,
      'let the link lead to a directory of the same repository, or set profile.path of the machine to one',
    )
  }
  if (inside !== undefined && isDirectory(join(clone, inside))) return inside
  const there = listDirectory(clone).filter((entry) => entry.name !== '.git' && !entry.isFile())
  throw configurationError(
    'PROFILE_MISSING',
    `${url} has no directory ${path} (it has: ${there.map(({ name }) => name).join(', ') || 'none'})`,
    'set profile.path of the machine to the directory that holds its etc-portage/ and world, or leave it out for the top',
  )
}

function realIfThere(path: string): string | undefined {
  try {
    return realPath(path)
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errorCode(error) ?? '')) return undefined
    throw error
  }
}
