import type { Config, RepoConfig } from '../config/config.js'
import { machineOf } from '../config/trees.js'
import { defaultBranch } from '../git/git-remote.js'
import { configurationError } from '../model/errors.js'
import { didYouMean } from '../model/names.js'
import type { Context } from '../model/report.js'
import { requireSameRepos } from './repos.js'
import type { RequestOf, StepOutcome } from './request.js'

/**
 * Says what a job has to check out, so that Jenkins polls it.
 * @throws STEP_REQUEST_INVALID, REPO_UNKNOWN, TREE_UNKNOWN, REPOS_DIFFERENT, BRANCH_UNKNOWN
 */
export async function describeSource(
  config: Config,
  request: RequestOf<'describe'>,
  context: Context,
): Promise<StepOutcome> {
  const { url, branch, credentials, path } = sourceOf(config, request)
  return {
    values: {
      url,
      branch: branch ?? (await defaultBranch(url, context)),
      ...(credentials !== undefined && { credentials }),
      ...(path !== undefined && { path }),
    },
  }
}

interface Source {
  url: string
  branch: string | undefined
  credentials?: string | undefined
  path?: string | undefined
}

function sourceOf(config: Config, { repo, machine, repos }: RequestOf<'describe'>): Source {
  if (repo !== undefined && machine === undefined) return repoOf(config, repo)
  if (machine === undefined || repo !== undefined) {
    throw configurationError(
      'STEP_REQUEST_INVALID',
      'the step names no ebuild repo and no machine',
      "name one: treeswapRepo repo: 'gentoo', or treeswapMachine machine: 'database'",
    )
  }
  const found = machineOf(config, machine)
  requireSameRepos(config, found, repos)
  return found.profile
}

/** @throws REPO_UNKNOWN */
export function repoOf({ file, repos }: Config, name: string): RepoConfig {
  const repo = repos.get(name)
  if (repo !== undefined) return repo
  throw configurationError(
    'REPO_UNKNOWN',
    `${file} has no ebuild repo ${name}`,
    didYouMean(name, repos.keys()) || `it has ${[...repos.keys()].join(', ') || 'none'}`,
  )
}
