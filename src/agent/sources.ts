import { openDirectorySource } from '../artifact/source.js'
import type { ArtifactSource } from '../artifact/source.js'
import type { Config } from '../config/config.js'
import { accessTo } from '../jenkins/access.js'
import { openJenkins } from '../jenkins/client.js'
import type { Jenkins } from '../jenkins/client.js'
import { jenkinsSource } from '../jenkins/source.js'
import { configurationError } from '../model/errors.js'
import type { Context } from '../model/report.js'

/** What is needed of a configuration; undefined: the environment says where Jenkins is. */
export type JenkinsSection = Pick<Config, 'jenkins'> | undefined

export interface SourceOptions {
  /** the number of the running build that publishes itself, of a Jenkins job: it may be read before it has ended */
  running?: number | undefined
  /** what Jenkins is waited for is stopped by its signal and told to its report */
  context?: Context | undefined
}

/**
 * `dir:PATH`: machines at PATH/TREE/N/, ebuild repos at PATH/repos/NAME/N/. `jenkins:JOB`: the builds of one machine
 * or ebuild repo; `jenkins:JOB@N`: one of them is taken for the latest.
 * @throws SOURCE_INVALID, JOB_INVALID, and what accessTo throws
 */
export function openSource(text: string, config?: JenkinsSection, options: SourceOptions = {}): ArtifactSource {
  if (text.startsWith('dir:')) return openDirectorySource(text)
  const [, job, number] = /^jenkins:(.+?)(?:@([1-9][0-9]{0,9}))?$/s.exec(text) ?? []
  if (job !== undefined) {
    const only = number === undefined ? undefined : Number(number)
    const keeps = config?.jenkins?.keepBuilds
    return jenkinsSource(jenkinsOf(config, options.context), job, { only, running: options.running, keeps })
  }
  throw configurationError(
    'SOURCE_INVALID',
    `${JSON.stringify(text)} does not say where artifacts lie`,
    'write dir:PATH for a directory, or jenkins:JOB for a job with its folders: jenkins:treeswap/machines/database',
  )
}

/** The Jenkins that a configuration or the environment names. @throws what accessTo and openJenkins throw */
export function jenkinsOf(config: JenkinsSection, context?: Context): Jenkins {
  return openJenkins(accessTo(config?.jenkins), context)
}
