import { join } from 'node:path'
import { removeForeign } from '../chroot/layers.js'
import type { Limits, RootService, Session } from '../chroot/requests.js'
import { buildError, TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { ticks } from '../system/clock.js'
import { copyTree } from '../system/copy-tree.js'
import { listDirectory, makeDirectory, makeTemporaryDirectory } from '../system/files.js'
import { replaceDirectory } from '../system/replace-directory.js'
import { collectPackages } from './collect.js'
import { planContainer } from './container.js'
import { newEvents } from './emerge-output.js'
import type { EmergeEvents } from './emerge-output.js'
import { lendPackages } from './package-directory.js'
import { writeWorld } from './profile.js'
import type { Profile } from './profile.js'
import type { RepoDirectory } from './repositories.js'
import { runDirectory } from './run-directory.js'
import type { RunDirectory } from './run-directory.js'
import { dropStaleSalvage, noteRepos, salvagePackages } from './salvage.js'
import { emerge, inContainer } from './world-session.js'
import type { WorldSession } from './world-session.js'

interface WorldOptions {
  /** what is brought up to date: sets or package atoms */
  target: string[]
  emerge: string[]
  /** emerge calls after the world update, each one string of arguments */
  after: string[]
  network: boolean
  unpackaged: 'quickpkg' | 'rebuild'
  limits: Limits
}

export interface WorldRequest {
  tree: string
  chroot: string
  repos: RepoDirectory[]
  profile: Profile
  options: WorldOptions
  /** the machine's finished binary packages */
  packages: string
  distfiles: string
  /** where the run's own directories are made */
  work: string
  /**
   * Puts back what `packages` lacks of the last build. Called when what killed runs finished has been taken over.
   */
  restore: () => Promise<void>
  /** every line of output, for the log */
  record: (line: string) => void
}

/** What a successful run leaves for the archive; the directories exist until `archive` has returned. */
export interface WorldResult {
  /** holds binpkgs/ etc-portage/ var-lib-portage/ */
  directory: string
  portageVersion: string
  events: EmergeEvents
}

/**
 * Brings a machine's root up to date and hands what was built to `archive`. Only when that succeeded are the root's
 * change and the packages kept; otherwise the root is as before, and packages that were finished are kept for the
 * next run.
 */
export async function buildWorld<T>(
  request: WorldRequest,
  service: RootService,
  context: Context,
  archive: (result: WorldResult) => Promise<T>,
): Promise<T> {
  return service.session(request.chroot, context, async (session) => {
    await salvageDeadRuns(request, session, context)
    await request.restore()
    const run = runDirectory(makeTemporaryDirectory(join(request.work, request.tree, 'run-')))
    try {
      const result = await runWorld(request, run, session, context)
      const archived = await archive(result)
      replaceDirectory(run.packages, request.packages)
      await session.commit()
      return archived
    } catch (error) {
      await salvage(request, run, session, context)
      throw explainLimit(request, error)
    } finally {
      await removeRun(run, session, context)
    }
  })
}

async function runWorld(
  request: WorldRequest,
  run: RunDirectory,
  session: Session,
  context: Context,
): Promise<WorldResult> {
  const { options, profile, record } = request
  const events = newEvents()
  await copyProfile(profile.etcPortage, run.etcPortage, context)
  await copyProfile(profile.etcPortage, run.container.etcPortage, context)
  writeWorld(profile, run.varLibPortage)
  noteRepos(run, request.repos)
  const stale = dropStaleSalvage(request.packages, { repos: request.repos, etcPortage: run.etcPortage })
  for (const path of stale) record(`not used, its inputs changed: ${path}`)
  lendPackages(request.packages, run.container.packages)
  const directories = { ...run.container, distfiles: request.distfiles }
  const world: WorldSession = {
    session,
    plan: planContainer(request.repos, directories, options),
    deadline: options.limits.seconds && ticks() + options.limits.seconds * 1000,
    network: options.network,
    logs: run.container.logs,
    record,
    context,
  }
  await placeWorld(world, run.varLibPortage)
  context.report.step(`building ${options.target.join(' ')} of ${request.tree}`)
  await emerge(world, [...options.emerge, ...options.target], events)
  for (const step of options.after) {
    context.report.step(`emerge ${step}`)
    await emerge(world, [step], events)
  }
  context.report.step('collecting binary packages')
  const portageVersion = await collectPackages(world, run, options.unpackaged, events)
  return { directory: run.tree, portageVersion, events }
}

async function copyProfile(from: string, to: string, { signal }: Context): Promise<void> {
  makeDirectory(to)
  await copyTree(
    listDirectory(from).map((entry) => join(from, entry.name)),
    to,
    signal,
  )
}

/**
 * Portage rewrites the world file by rename, which a bind-mounted file refuses: so it is copied in. The copy is made
 * inside, where a link that an earlier build left in the root can lead nowhere but into the root.
 */
async function placeWorld(world: WorldSession, directory: string): Promise<void> {
  const place = '/run/treeswap-world'
  const plan = { ...world.plan, binds: [...world.plan.binds, { source: directory, target: place, writable: false }] }
  const code = await inContainer(
    { ...world, plan },
    ['install', '-D', '-m', '0644', '-t', '/var/lib/portage', `${place}/world`, `${place}/world_sets`],
    false,
  )
  if (code === 0) return
  throw buildError(
    'ROOT_UNUSABLE',
    'the world file could not be put into the chroot',
    'see whether its root is complete',
  )
}

/** The container knows what was left of the time when it was started; the reader wants to know the configured time. */
function explainLimit({ tree, options: { limits } }: WorldRequest, error: unknown): unknown {
  if (!(error instanceof TreeswapError) || error.code !== 'LIMIT_TIME') return error
  return buildError(
    'LIMIT_TIME',
    `the build of ${tree} was stopped: it took longer than its time limit of ${limits.seconds ?? 0} s`,
    'see in the log what it did last; raise limits.time of the machine, or build again: what was finished is kept',
    error,
  )
}

/** Directories of runs that were killed: the session's lock says that nobody works in them any more. */
async function salvageDeadRuns(request: WorldRequest, session: Session, context: Context): Promise<void> {
  for (const { name } of listDirectory(join(request.work, request.tree))) {
    const run = runDirectory(join(request.work, request.tree, name))
    await salvage(request, run, session, context)
    await removeRun(run, session, context)
  }
}

/** What cannot be salvaged is built again: that must not hide why the run failed, nor stop the next one. */
async function salvage(
  { packages, record }: WorldRequest,
  run: RunDirectory,
  session: Session,
  { report }: Context,
): Promise<void> {
  try {
    await session.reclaim(run.top)
    for (const path of salvagePackages(run, packages)) record(`kept for the next run: ${path}`)
  } catch (error) {
    report.warn(`what ${run.top} has finished is not kept: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Parts of it belong to the container until they are taken back: only root could remove them. */
async function removeRun({ top }: RunDirectory, session: Session, { report }: Context): Promise<void> {
  try {
    await session.reclaim(top)
    await removeForeign(top)
  } catch (error) {
    report.warn(`${top} could not be removed: ${error instanceof Error ? error.message : String(error)}`)
  }
}
