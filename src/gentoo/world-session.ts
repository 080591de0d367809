import type { Session } from '../chroot/requests.js'
import { buildError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { ticks } from '../system/clock.js'
import { explainFailure, explainFetchFailure } from './build-failure.js'
import type { ContainerPlan } from './container.js'
import { followEmerge, newEvents } from './emerge-output.js'
import type { EmergeEvents } from './emerge-output.js'
import { listInstalledCommand, parseInstalled } from './installed.js'
import type { Installed, InstalledPackage } from './installed.js'

/** Options of every emerge call; `--quiet-build` sends each package's output to its own log. */
const fixedOptions = ['--ask=n', '--color=n', '--quiet-build=y', '--buildpkg', '--binpkg-respect-use=y']

/** Options after which nothing is fetched. */
const removals = new Set(['--depclean', '-c', '--prune', '-P', '--unmerge', '-C'])

/** Sets whose packages have to be compiled though there are binary packages of the same version. */
const isRebuild = (arg: string): boolean => /^@.*-rebuild$/.test(arg)

/** One open session of a root, with what all programs in it share. */
export interface WorldSession {
  session: Session
  plan: ContainerPlan
  /** when the build's time is over, on the clock of ticks(); undefined: never */
  deadline: number | undefined
  /** whether ebuilds may use the network while they build */
  network: boolean
  /** the host's directory of PORTAGE_LOGDIR */
  logs: string
  /** every line of output goes here, for the build's log */
  record: (line: string) => void
  context: Context
}

/**
 * Runs emerge: first a pass that fetches, with network, then one that builds, without (unless the machine allows it).
 * @throws PACKAGE_FAILED, EMERGE_FAILED
 */
export async function emerge(world: WorldSession, args: readonly string[], events: EmergeEvents): Promise<void> {
  if (!world.network && !args.some((arg) => removals.has(arg)))
    await callEmerge(world, ['--fetchonly', ...args], true, newEvents())
  await callEmerge(world, args, world.network, events)
}

async function callEmerge(
  world: WorldSession,
  args: readonly string[],
  network: boolean,
  events: EmergeEvents,
): Promise<void> {
  const { report } = world.context
  const output: string[] = []
  const follow = followEmerge(events)
  const usepkg = args.some(isRebuild) ? '--usepkg=n' : '--usepkg=y'
  const code = await inContainer(world, ['emerge', ...fixedOptions, usepkg, ...args], network, (line) => {
    if (output.push(line) > 2000) output.shift()
    follow(line)
    report.progress(events.position.done, events.position.total)
  })
  if (code === 0) return
  const notFetched = args.includes('--fetchonly') ? explainFetchFailure(events, output) : undefined
  if (notFetched !== undefined) throw notFetched
  const { error, tail } = explainFailure(args, events, world.logs, output)
  tail.forEach(world.record)
  throw error
}

/** @throws ROOT_UNREADABLE */
export async function listInstalled(world: WorldSession): Promise<Installed> {
  const lines: string[] = []
  const quiet = { ...world, record: () => undefined }
  await inContainer(quiet, listInstalledCommand, false, (line) => lines.push(line))
  return parseInstalled(lines.join('\n'))
}

/**
 * Makes binary packages of what is installed without one.
 * @param how quickpkg packs the installed files as they are; rebuild compiles the same version again
 */
export async function packageInstalled(
  world: WorldSession,
  packages: readonly InstalledPackage[],
  how: 'quickpkg' | 'rebuild',
  events: EmergeEvents,
): Promise<void> {
  const atoms = packages.map(({ cpv }) => `=${cpv}`)
  if (how === 'rebuild') return emerge(world, ['--oneshot', '--usepkg=n', ...atoms], events)
  const args = ['quickpkg', '--include-config=y', '--include-unmodified-config=y', ...atoms]
  const output: string[] = []
  const code = await inContainer(world, args, false, (line) => output.push(line))
  if (code === 0) return
  throw buildError(
    'QUICKPKG_FAILED',
    `quickpkg could not pack what the root came with: ${output.slice(-3).join(' | ')}`,
    'set `unpackaged: rebuild` for the machine to compile these packages instead',
  )
}

/** Runs a program in the container, for no longer than is left of the build's time. */
export async function inContainer(
  { session, plan, deadline, record }: WorldSession,
  argv: string[],
  network: boolean,
  onLine: (line: string) => void = () => undefined,
): Promise<number> {
  record(`$ ${argv.slice(0, 12).join(' ').split('\n')[0] ?? ''}`)
  const seconds = deadline === undefined ? {} : { seconds: Math.max(1, (deadline - ticks()) / 1000) }
  return session.run({ argv, network, ...plan, limits: { ...plan.limits, ...seconds } }, (line) => {
    record(line)
    onLine(line)
  })
}
