import type { Config, MachineConfig, RepoConfig } from '../../config/config.js'
import type { JenkinsConfig } from '../../config/jenkins.js'
import type { PacmanConfig } from '../../config/pacman.js'
import { configurationError } from '../../model/errors.js'
import { machineScript, packagesScript, pollScript, publishScript, repoScript } from './script.js'
import { signingCredentials } from './signing-credentials.js'
import type { SigningCredentials } from './signing-credentials.js'

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
  /** when it runs whatever has changed, in the same form, a line for each schedule; null: by no clock */
  timer: string | null
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

const PACMAN_FOLDERS: FolderModel[] = [
  { name: 'polls', description: described('Pacman repos: each job looks whether one has something new to build.') },
  { name: 'packages', description: described('Pacman repos: each job builds the packages of one.') },
]

const REPO_QUIET = 60
const MACHINE_QUIET = 120
const RECORDS = 50

/**
 * The jobs of a configuration: one per ebuild repo, one per machine, two per pacman repo, one with which operators
 * publish and roll back.
 * @throws JENKINS_NOT_CONFIGURED, SIGNING_OVER_SSH
 */
export function jobsOf(config: Config): JobList {
  const jenkins = jenkinsOf(config)
  const repos = [...config.repos.values()]
  const machines = [...config.machines.values()]
  const pacman = [...config.pacman.values()]
  const signing = signingCredentials(config)
  const trees = [...machines, ...pacman].map(({ name }) => name)
  return {
    folder: jenkins.folder,
    folders: [
      { name: 'repos', description: described('Ebuild repos: each job archives snapshots of one.') },
      { name: 'machines', description: described('Machines: each job builds the packages of one.') },
      ...(pacman.length > 0 ? PACMAN_FOLDERS : []),
    ],
    jobs: [
      ...repos.map((repo) => repoJob(repo, jenkins)),
      ...machines.map((machine) => machineJob(machine, jenkins, signing.get(machine.name))),
      ...pacman.flatMap((repo) => [pollJob(repo, jenkins), packagesJob(repo, jenkins, signing.get(repo.name))]),
      ...(trees.length > 0 ? [publishJob(trees, jenkins, signing)] : []),
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
    timer: null,
    upstream: [],
    quietSeconds: REPO_QUIET,
    parameters: [],
  }
}

function machineJob(machine: MachineConfig, jenkins: JobsConfig, signing: SigningCredentials | undefined): JobModel {
  const { name, repos, profile, publish } = machine
  const then = publish ? 'and publishes them' : 'and does not publish them'
  return {
    ...kept(jenkins),
    name: `machines/${name}`,
    description: described(
      `Builds the packages of ${name} ${then}, whenever ${repos.join(', ')} or its profile in ${profile.url} has changed.`,
    ),
    script: machineScript(machine, jenkins, signing),
    poll: machine.schedule,
    timer: null,
    upstream: repos.map((repo) => `/${jenkins.folder}/repos/${repo}`),
    quietSeconds: MACHINE_QUIET,
    parameters: [],
  }
}

/** What packages are made of lies in repositories that no job checks out: so a job looks by the clock. */
function pollJob(repo: PacmanConfig, jenkins: JobsConfig): JobModel {
  const { name } = repo
  return {
    ...kept(jenkins),
    name: `polls/${name}`,
    description: described(`Looks whether ${name} has something new to build, and then starts packages/${name}.`),
    script: pollScript(repo, jenkins),
    poll: null,
    timer: timerOf(repo),
    upstream: [],
    quietSeconds: 0,
    parameters: [],
  }
}

function packagesJob(repo: PacmanConfig, jenkins: JobsConfig, signing: SigningCredentials | undefined): JobModel {
  const { name, publish } = repo
  const then = publish ? 'and publishes them' : 'and does not publish them'
  return {
    ...kept(jenkins),
    name: `packages/${name}`,
    description: described(`Builds the packages of ${name} whose recipes have changed ${then}.`),
    script: packagesScript(repo, jenkins, signing),
    poll: null,
    timer: null,
    upstream: [`/${jenkins.folder}/polls/${name}`],
    quietSeconds: REPO_QUIET,
    parameters: [],
  }
}

/** Every time that one of its sources wants to be looked at; null: only when somebody starts it. */
function timerOf({ repositories, programs, lists }: PacmanConfig): string | null {
  const schedules = [...repositories, ...programs, ...lists].map(({ schedule }) => schedule)
  const different = [...new Set(schedules)].filter((schedule) => schedule !== '').sort()
  return different.length === 0 ? null : different.join('\n')
}

function publishJob(trees: string[], jenkins: JobsConfig, signing: ReadonlyMap<string, SigningCredentials>): JobModel {
  return {
    ...kept(jenkins),
    name: 'publish',
    description: described('Publishes a build, or rolls a tree back.'),
    script: publishScript(jenkins, signing),
    poll: null,
    timer: null,
    upstream: [],
    quietSeconds: 0,
    parameters: [
      { name: 'TREE', kind: 'choice', choices: trees, description: 'What is published.' },
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
