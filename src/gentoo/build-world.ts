import { join } from 'node:path'
import { planContainer } from './container.js'
import { newEvents } from './emerge-output.js'
import type { EmergeEvents } from './emerge-output.js'
import { matchPackages } from './match-packages.js'
import { headerOf, INDEX, indexOf, keepPackages, lendPackages, prunePackages } from './package-directory.js'
import { formatPackages } from './packages-index.js'
import type { Stanza } from './packages-index.js'
import { writeWorld } from './profile.js'
import type { Profile } from './profile.js'
import type { RepoDirectory } from './repositories.js'
import { dropStaleSalvage, noteRepos, salvagePackages } from './salvage.js'
import { emerge, inContainer, listInstalled, packageInstalled } from './world-session.js'
import type { WorldSession } from './world-session.js'
import type { Limits, RootService, Session } from '../chroot/requests.js'
import { buildError, TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { ticks } from '../system/clock.js'
import { copyTree } from '../system/copy-tree.js'
import { listDirectory, makeDirectory, makeTemporaryDirectory, removeTree, writeAtomically } from '../system/files.js'

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
  /** every line of output, for the log */
  record: (line: string) => void
}

/** What is archived, inside a run's directory. */
const TREE = 'tree'

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
  const prefix = join(request.work, request.tree, 'run-')
  return service.session(request.chroot, context, async (session) => {
    await salvageDeadRuns(request, session)
    const directory = makeTemporaryDirectory(prefix)
    try {
      const result = await runWorld(request, directory, session, context)
      const archived = await archive(result)
      keepPackages(join(directory, TREE, 'binpkgs'), request.packages)
      await session.commit()
      return archived
    } catch (error) {
      await salvage(request, directory, session)
      throw explainLimit(request, error)
    } finally {
      await session.reclaim(directory)
      removeTree(directory)
    }
  })
}

async function runWorld(
  request: WorldRequest,
  directory: string,
  session: Session,
  context: Context,
): Promise<WorldResult> {
  const { options, profile } = request
  const tree = (name: string) => join(directory, TREE, name)
  const logs = join(directory, 'logs')
  const events = newEvents()
  makeDirectory(tree('etc-portage'))
  await copyProfile(profile.etcPortage, tree('etc-portage'), context)
  await copyProfile(profile.etcPortage, join(directory, 'etc-portage'), context)
  writeWorld(profile, tree('var-lib-portage'))
  noteRepos(directory, request.repos)
  const inputs = { repos: request.repos, etcPortage: tree('etc-portage') }
  for (const path of dropStaleSalvage(request.packages, inputs)) request.record(`not used, its inputs changed: ${path}`)
  lendPackages(request.packages, tree('binpkgs'))
  const plan = planContainer(
    request.repos,
    {
      packages: tree('binpkgs'),
      distfiles: request.distfiles,
      etcPortage: join(directory, 'etc-portage'),
      logs,
    },
    options.limits,
  )
  const world: WorldSession = {
    session,
    plan,
    deadline: options.limits.seconds && ticks() + options.limits.seconds * 1000,
    network: options.network,
    logs,
    record: request.record,
    context,
  }
  await placeWorld(world, tree('var-lib-portage'))
  context.report.step(`building ${options.target.join(' ')} of ${request.tree}`)
  await emerge(world, [...options.emerge, ...options.target], events)
  for (const step of options.after) {
    context.report.step(`emerge ${step}`)
    await emerge(world, step.split(/\s+/).filter(Boolean), events)
  }
  context.report.step('collecting binary packages')
  const portageVersion = await collect(world, tree('binpkgs'), options.unpackaged, events)
  return { directory: join(directory, TREE), portageVersion, events }
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

/** Sees that everything installed has a binary package, and prunes the rest. Returns Portage's version. */
async function collect(
  world: WorldSession,
  binpkgs: string,
  unpackaged: 'quickpkg' | 'rebuild',
  events: EmergeEvents,
): Promise<string> {
  let installed = await listInstalled(world)
  let match = matchPackages(installed.packages, indexOf(binpkgs))
  if (match.unpackaged.length > 0) {
    world.context.report.step(`packing ${match.unpackaged.length} packages that the root came with`)
    await packageInstalled(world, match.unpackaged, unpackaged, events)
    installed = await listInstalled(world)
    match = matchPackages(installed.packages, indexOf(binpkgs))
  }
  const [missing] = match.unpackaged
  if (missing !== undefined) {
    throw buildError(
      'PACKAGE_UNPACKED',
      `${missing.cpv} is installed in the chroot, but no binary package of it could be made`,
      'set `unpackaged: rebuild` for the machine, or remove the package from the chroot',
    )
  }
  await world.session.reclaim(binpkgs)
  writeIndex(binpkgs, match.packaged)
  prunePackages(binpkgs, new Set(match.packaged.map((stanza) => stanza.get('PATH') ?? '')))
  return installed.portageVersion
}

function writeIndex(binpkgs: string, stanzas: Stanza[]): void {
  writeAtomically(join(binpkgs, INDEX), formatPackages({ header: headerOf(binpkgs), stanzas }))
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
async function salvageDeadRuns(request: WorldRequest, session: Session): Promise<void> {
  for (const { name } of listDirectory(join(request.work, request.tree))) {
    const directory = join(request.work, request.tree, name)
    await salvage(request, directory, session)
    removeTree(directory)
  }
}

async function salvage({ packages, record }: WorldRequest, directory: string, session: Session): Promise<void> {
  await session.reclaim(directory)
  for (const path of salvagePackages(directory, TREE, packages)) record(`kept for the next run: ${path}`)
}
