import type { Config, MachineConfig, RepoConfig } from '../../config/config.js'
import type { JenkinsConfig } from '../../config/jenkins.js'
import { configurationError } from '../../model/errors.js'
import { machineScript, publishScript, repoScript } from './script.js'

/** What `treeswap jobs` makes in one folder of Jenkins. */
export interface JobList {
  /** full name of the folder that holds everything below */
  folder: string
  folders: FolderModel[]
  jobs: JobModel[]
}

export interface FolderModel {
  /** relative to the list's folder */
  name: string
  description: string
}

/** One pipeline job. The seed script and `jobs apply` make the same job of it. */
export interface JobModel {
  /** relative to the list's folder: `repos/gentoo` */
  name: string
  description: string
  /** its whole pipeline; runs in the sandbox */
  script: string
  /** Jenkins' form of cron; '' polls only when notified; null: nothing is polled */
  poll: string | null
  /** absolute names of jobs after whose success it runs: `/treeswap/repos/gentoo` */
  upstream: string[]
  /** seconds in which further triggers become one build */
  quietSeconds: number
  /** build records and logs */
  keepRecords: number
  /** builds whose artifacts are kept; the store keeps all */
  keepArtifacts: number
  parameters: ParameterModel[]
}

export type ParameterModel = { name: string; description: string } & (
  | { kind: 'string'; value: string }
  /** the first is the default */
  | { kind: 'choice'; choices: string[] }
)

/** What makes a job recognisable as one of ours: the end of its description. */
export const OWNED = 'Made by treeswap from its configuration: what is changed here is overwritten.'

const REPO_QUIET = 60
const MACHINE_QUIET = 120
const RECORDS = 50

/**
 * The jobs of a configuration: one per ebuild repo, one per machine, one with which operators publish and roll back.
 * @throws JENKINS_NOT_CONFIGURED
 */
export function jobsOf(config: Config): JobList {
  const jenkins = jenkinsOf(config)
  const repos = [...config.repos.values()]
  const machines = [...config.machines.values()]
  return {
    folder: jenkins.folder,
    folders: [
      { name: 'repos', description: described('Ebuild repos: each job archives snapshots of one.') },
      { name: 'machines', description: described('Machines: each job builds the packages of one.') },
    ],
    jobs: [
      ...repos.map((repo) => repoJob(repo, jenkins)),
      ...machines.map((machine) => machineJob(machine, jenkins)),
      ...(machines.length > 0 ? [publishJob(machines, jenkins)] : []),
    ],
  }
}

/** The section `jenkins` with what jobs cannot do without. */
export type JobsConfig = JenkinsConfig & { config: NonNullable<JenkinsConfig['config']> }

function jenkinsOf({ jenkins, file }: Config): JobsConfig {
  if (jenkins?.config !== undefined) return { ...jenkins, config: jenkins.config }
  throw configurationError(
    'JENKINS_NOT_CONFIGURED',
    `${file} does not say from which repository jobs get it`,
    `add the section "jenkins:" with "config: { url: 'https://git.example.org/site.git', path: treeswap.yaml }"`,
  )
}

function repoJob(repo: RepoConfig, jenkins: JobsConfig): JobModel {
  return {
    ...kept(jenkins),
    name: `repos/${repo.name}`,
    description: described(`Archives a snapshot of the ebuild repo ${repo.name} whenever ${repo.url} has changed.`),
    script: repoScript(repo, jenkins),
    poll: repo.schedule,
    upstream: [],
    quietSeconds: REPO_QUIET,
    parameters: [],
  }
}

function machineJob(machine: MachineConfig, jenkins: JobsConfig): JobModel {
  const { name, repos, profile, publish } = machine
  const then = publish ? 'and publishes them' : 'and does not publish them'
  return {
    ...kept(jenkins),
    name: `machines/${name}`,
    description: described(
      `Builds the packages of ${name} ${then}, whenever ${repos.join(', ')} or its profile in ${profile.url} has changed.`,
    ),
    script: machineScript(machine, jenkins),
    poll: machine.schedule,
    upstream: repos.map((repo) => `/${jenkins.folder}/repos/${repo}`),
    quietSeconds: MACHINE_QUIET,
    parameters: [],
  }
}

function publishJob(machines: MachineConfig[], jenkins: JobsConfig): JobModel {
  return {
    ...kept(jenkins),
    name: 'publish',
    description: described('Publishes a build, or rolls a tree back.'),
    script: publishScript(jenkins),
    poll: null,
    upstream: [],
    quietSeconds: 0,
    parameters: [
      { name: 'TREE', kind: 'choice', choices: machines.map(({ name }) => name), description: 'What is published.' },
      {
        name: 'REFERENCE',
        kind: 'string',
        value: '',
        description:
          'A build: its number, latest, -1 (published before), a tag. ' +
          'Empty: the last successful build, and to roll back the one published before.',
      },
      { name: 'ACTION', kind: 'choice', choices: ['publish', 'rollback'], description: 'What is done.' },
    ],
  }
}

function kept({ keepBuilds }: JenkinsConfig): Pick<JobModel, 'keepRecords' | 'keepArtifacts'> {
  return { keepRecords: Math.max(RECORDS, keepBuilds), keepArtifacts: keepBuilds }
}

function described(text: string): string {
  return `${text}\n\n${OWNED}`
}
