import { dirname, join, normalize, resolve } from 'node:path'
import { resolveJenkins } from './jenkins.js'
import type { JenkinsConfig } from './jenkins.js'
import { resolveKey } from './keys.js'
import type { KeyConfig } from './keys.js'
import { resolvePacman } from './pacman.js'
import type { PacmanConfig } from './pacman.js'
import type { Written } from './schema.js'
import { resolveUpload } from './uploads.js'
import type { UploadConfig } from './uploads.js'
import { resolveGitUrl, withoutTrailingSlash } from './urls.js'

/** `treeswap.yaml`, checked, with defaults filled in and all paths absolute. */
export interface Config {
  /** absolute path of the file it was read from */
  file: string
  publisher: PublisherConfig
  builder: BuilderConfig
  /** empty where the file has no such section */
  chroots: ReadonlyMap<string, ChrootConfig>
  repos: ReadonlyMap<string, RepoConfig>
  machines: ReadonlyMap<string, MachineConfig>
  pacman: ReadonlyMap<string, PacmanConfig>
  keys: ReadonlyMap<string, KeyConfig>
  uploads: ReadonlyMap<string, UploadConfig>
  jenkins?: JenkinsConfig
}

export interface PublisherConfig {
  root: string
  /** `rsync://HOST[:PORT]`, no slash at the end */
  rsync?: string
  /** `http[s]://HOST[:PORT][/PATH]`, no slash at the end */
  http?: string
  graceSeconds: number
}

export interface BuilderConfig {
  directory: string
  /** `dir:` and an absolute path */
  artifacts: string
  fullEvery: number
  /** what does the work that needs root for those who are not: absolute path, arguments */
  rootProgram: string[]
}

export interface ChrootConfig {
  name: string
  /** tarball or directory; undefined: it is made by `treeswap chroot create` */
  from: string | undefined
}

interface GitConfig {
  url: string
  /** undefined: the remote's default branch */
  branch: string | undefined
  /** Jenkins id of the credentials with which jobs read it */
  credentials?: string
}

export interface RepoConfig extends GitConfig {
  name: string
  pollSeconds: number
  /** root in which md5-cache is generated where there is none; undefined: no machine uses this repo */
  chroot: string | undefined
  /** when its Jenkins job polls; '': only when it is notified */
  schedule: string
}

export interface MachineConfig {
  name: string
  /** path: relative directory inside the repository; undefined: its top */
  profile: GitConfig & { path: string | undefined }
  /** names in `repos`, in the order they were written */
  repos: string[]
  mainRepo: string
  chroot: string
  target: string[]
  emerge: string[]
  after: string[]
  network: boolean
  unpackaged: 'quickpkg' | 'rebuild'
  limits: { memory?: number; processes: number; seconds: number }
  pollSeconds: number
  /** when its Jenkins job polls the profile; '': only when it is notified */
  schedule: string
  /** name in `keys`; undefined: its binary packages are not signed */
  sign: string | undefined
  /** whether its Jenkins job publishes what it has built */
  publish: boolean
}

const MAIN_REPO_SCHEDULE = 'H H/6 * * *'
const REPO_SCHEDULE = 'H/15 * * * *'

/** @param file absolute path of the configuration; relative paths in it start at its directory */
export function resolveConfig(written: Written, file: string): Config {
  const base = dirname(file)
  const { publisher } = written
  const machines: Map<string, MachineConfig> = named(written.machines, (machine, name) =>
    resolveMachine(machine, name, base),
  )
  return {
    file,
    publisher: {
      root: resolve(base, publisher.root),
      graceSeconds: publisher.grace,
      ...(publisher.rsync !== undefined && { rsync: withoutTrailingSlash(publisher.rsync) }),
      ...(publisher.http !== undefined && { http: withoutTrailingSlash(publisher.http) }),
    },
    builder: resolveBuilder(written.builder, base),
    chroots: named(written.chroots, ({ from }, name) => ({ name, from: from && resolve(base, from) })),
    repos: named(written.repos, (repo, name) => ({
      name,
      url: resolveGitUrl(repo.url, base),
      branch: repo.branch,
      pollSeconds: repo.poll,
      chroot: repo.chroot ?? [...machines.values()].find(({ repos }) => repos.includes(name))?.chroot,
      schedule: repo.schedule ?? (isMain(name, machines) ? MAIN_REPO_SCHEDULE : REPO_SCHEDULE),
      ...(repo.credentials !== undefined && { credentials: repo.credentials }),
    })),
    machines,
    pacman: named(written.pacman, (repo, name) => resolvePacman(repo, name, base)),
    keys: named(written.keys, (key, name) => resolveKey(key, name, base)),
    uploads: named(written.uploads, (upload, name) => resolveUpload(upload, name, base)),
    ...(written.jenkins !== undefined && { jenkins: resolveJenkins(written.jenkins, base) }),
  }
}

function isMain(name: string, machines: ReadonlyMap<string, MachineConfig>): boolean {
  return [...machines.values()].some(({ mainRepo }) => mainRepo === name)
}

function resolveBuilder(builder: Written['builder'], base: string): BuilderConfig {
  const directory = resolve(base, builder.directory)
  const artifacts = builder.artifacts?.slice('dir:'.length) ?? join(directory, 'artifacts')
  return {
    directory,
    artifacts: `dir:${resolve(base, artifacts)}`,
    fullEvery: builder['full-every'],
    rootProgram: builder['root-program'],
  }
}

function resolveMachine(machine: Written['machines'][string], name: string, base: string): MachineConfig {
  const { profile, repos, limits } = machine
  return {
    name,
    profile: {
      url: resolveGitUrl(profile.url, base),
      branch: profile.branch,
      path: insideRepository(profile.path),
      ...(profile.credentials !== undefined && { credentials: profile.credentials }),
    },
    repos,
    mainRepo: repos.includes('gentoo') ? 'gentoo' : (repos[0] ?? ''),
    chroot: machine.chroot ?? name,
    target: machine.target,
    emerge: machine.emerge,
    after: machine.after,
    network: machine.network,
    unpackaged: machine.unpackaged,
    limits: {
      processes: limits.processes,
      seconds: limits.time,
      ...(limits.memory !== undefined && { memory: limits.memory }),
    },
    pollSeconds: machine.poll,
    schedule: machine.schedule,
    sign: machine.sign,
    publish: machine.publish,
  }
}

/** As git names it: `./x/` is `x`, `.` is the top. */
function insideRepository(path: string | undefined): string | undefined {
  const normal = path && normalize(path).replace(/\/$/, '')
  return normal === '.' ? undefined : normal
}

function named<From, To>(record: Record<string, From>, make: (value: From, name: string) => To): Map<string, To> {
  return new Map(Object.entries(record).map(([name, value]) => [name, make(value, name)]))
}
