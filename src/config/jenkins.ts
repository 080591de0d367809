import { resolve } from 'node:path'
import type * as z from 'zod'
import type { jenkins } from './jenkins-schema.js'
import { resolveGitUrl, withoutTrailingSlash } from './urls.js'

/** The section `jenkins`: its address, and what its jobs are made with. */
export interface JenkinsConfig {
  /** no slash at the end, no credentials; undefined: JENKINS_URL of the environment */
  url: string | undefined
  /** TREESWAP_JENKINS_USER of the environment goes first where that has a token */
  user: string | undefined
  /** absolute; TREESWAP_JENKINS_TOKEN of the environment goes first */
  tokenFile: string | undefined
  /** full name of the folder of all jobs */
  folder: string
  /** name of the shared library */
  library: string
  /** label of the agents that build */
  agent: string
  /** label of the agent that publishes; not used where there is publishOver */
  publisher: string
  publishOver: PublishOver | undefined
  /** id of user and token with which jobs read artifacts */
  credentials: string
  /** the repository that holds the configuration */
  config: ConfigRepository | undefined
  timeoutSeconds: number
  /** builds whose artifacts Jenkins keeps */
  keepBuilds: number
}

/** The publisher's SSH server. */
export interface PublishOver {
  host: string
  port: number
  user: string
  /** type and key, no comment */
  hostKey: string
  /** id of an SSH key */
  credentials: string
}

interface ConfigRepository {
  url: string
  /** undefined: the remote's default branch */
  branch: string | undefined
  credentials: string | undefined
  /** of the YAML file, relative to the repository */
  path: string
}

/** @param base directory at which relative paths start */
export function resolveJenkins(written: z.infer<typeof jenkins>, base: string): JenkinsConfig {
  const { url, user, 'token-file': tokenFile, 'publish-over': over, config } = written
  return {
    url: url && withoutTrailingSlash(url),
    user,
    tokenFile: tokenFile && resolve(base, tokenFile),
    folder: written.folder,
    library: written.library,
    agent: written.agent,
    publisher: written.publisher ?? 'publisher',
    publishOver: over && {
      host: over.host,
      port: over.port,
      user: over.user,
      hostKey: over['host-key'],
      credentials: over.credentials,
    },
    credentials: written.credentials,
    config: config && {
      url: resolveGitUrl(config.url, base),
      branch: config.branch,
      credentials: config.credentials,
      path: config.path,
    },
    timeoutSeconds: written.timeout,
    keepBuilds: written['keep-builds'],
  }
}
