import { buildError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { sha256 } from '../system/hash.js'
import type { Caller } from './caller.js'
import { runContainer } from './container.js'
import { makeGroups, outOfMemoryKills, planGroups, readHierarchies, removeGroups } from './control-groups.js'
import { watchDisk } from './disk-watch.js'
import { commitUpper, dropLeftovers, dropUpper, forgetGroups, makeUpper, writeGroups } from './layers.js'
import { type RootPaths, type RunPlace, writableOverlay } from './layout.js'
import type { PinnedBind } from './nspawn-command.js'
import { lendDirectories, reclaimTree } from './owners.js'
import { pinDirectory, type Pinned } from './pinned.js'
import { parseDirectory, parseRunRequest, type RunRequest, type Session } from './requests.js'
import { type ChrootInfo, readRoot } from './root-record.js'

/** How long a container's processes may take to end after it, in milliseconds. */
const ENDING = 10_000

export class LockedSession implements Session {
  private layers: number[]
  private fresh = false
  private running = false
  /** settles when what was asked for last is done */
  private done: Promise<unknown> = Promise.resolve()
  private readonly over = new AbortController()
  private readonly mountPoints = new Set<string>()

  constructor(
    private readonly paths: RootPaths,
    protected readonly root: ChrootInfo,
    private readonly caller: Caller,
    private readonly context: Context,
    protected readonly place: RunPlace = paths.run,
  ) {
    this.layers = root.layers
    this.context = { ...context, signal: AbortSignal.any([context.signal, this.over.signal]) }
  }

  get uidBase(): number {
    return this.root.uidBase
  }

  async run(data: RunRequest, onLine: (line: string) => unknown): Promise<number> {
    const request = parseRunRequest(data)
    return this.alone(async () => {
      if (!this.fresh) makeUpper(this.place, this.uidBase)
      this.fresh = true
      const pins: Pinned[] = []
      try {
        const binds: PinnedBind[] = []
        for (const bind of request.binds) {
          const pinned = this.pin(bind.source)
          pins.push(pinned)
          binds.push({ ...bind, identity: pinned.identity })
          if (bind.writable) await lendDirectories(pinned, this.uidBase, this.caller, this.context.signal)
        }
        await this.makeMountPoints(request)
        const lent = pins.filter((_, index) => request.binds[index]?.writable)
        return await this.runLimited(request, binds, onLine, lent)
      } finally {
        for (const pinned of pins) pinned.close()
      }
    })
  }

  async commit(): Promise<void> {
    await this.alone(async () => {
      if (!this.fresh) return
      this.layers = await commitUpper(this.paths, this.layers, this.context)
      this.fresh = false
      await dropUpper(this.place)
    })
  }

  async reclaim(data: string): Promise<void> {
    const directory = parseDirectory(data)
    await this.alone(async () => {
      const pinned = this.pin(directory)
      try {
        await reclaimTree(pinned, this.uidBase, this.caller)
      } finally {
        pinned.close()
      }
    })
  }

  /** Ends the session: what still runs in it is stopped, what is not committed is gone. */
  async end(): Promise<void> {
    this.over.abort()
    await this.done
    await this.undo()
  }

  protected async undo(): Promise<void> {
    // as the head says, not as we believe: a commit may have failed on either side of its commit point
    await dropLeftovers(this.paths, readRoot(this.paths)?.layers ?? this.layers)
  }

  private pin(path: string): Pinned {
    return pinDirectory(path, this.uidBase, this.caller)
  }

  private async runLimited(
    request: RunRequest,
    binds: readonly PinnedBind[],
    onLine: (line: string) => unknown,
    lent: readonly Pinned[] = [],
  ): Promise<number> {
    const name = `treeswap-${this.root.name}-${sha256(this.place.directory).slice(0, 8)}`
    const plan = planGroups(readHierarchies(), name, request.limits)
    writeGroups(this.place, plan.groups)
    const over = new AbortController()
    const full = this.stopWhenFull(request.limits.disk, lent, over.signal)
    try {
      const groups = makeGroups(plan)
      const code = await runContainer(
        this.paths.top,
        {
          uidBase: this.uidBase,
          overlay: writableOverlay(this.layers, this.place.name),
          mountPoint: `${this.place.name}/merged`,
          cgroupProcs: groups.map((group) => `${group}/cgroup.procs`),
          request,
          binds,
          terminal: process.stdin.isTTY,
        },
        { ...this.context, signal: AbortSignal.any([this.context.signal, full.signal]) },
        onLine,
      )
      this.checkMemory(outOfMemoryKills(plan), code, request)
      return code
    } catch (error) {
      throw full.why() ?? error
    } finally {
      over.abort()
      await full.done
      await removeGroups(plan.groups, ENDING)
      forgetGroups(this.place)
    }
  }

  /** Gives a signal when what this session writes takes too much of the disk, and an error that says so. */
  private stopWhenFull(limit: number | undefined, lent: readonly Pinned[], over: AbortSignal) {
    const full = new AbortController()
    let why: Error | undefined
    // by descriptor: a path of the caller's may lead elsewhere by now
    const places = [this.place.directory, ...lent.map(({ descriptor }) => `/proc/${process.pid}/fd/${descriptor}`)]
    const watching = limit === undefined ? Promise.resolve(undefined) : watchDisk(places, limit, over)
    const done = watching.then(
      (wrong) => (why = wrong === undefined ? undefined : tooLarge(wrong)),
      // without a measure, none is kept
      (error: unknown) => (why = error instanceof Error ? error : new Error(String(error))),
    )
    return {
      signal: full.signal,
      why: () => why,
      done: done.then(() => {
        if (why !== undefined) full.abort()
      }),
    }
  }

  /** A killed process is an error only where the program failed: some try again with less. */
  private checkMemory(kills: number, code: number, { argv, limits }: RunRequest): void {
    if (kills === 0) return
    const what = `${argv[0] ?? ''} in the chroot ${this.root.name}: ${kills} processes killed at the memory limit of ${limits.memory ?? 0} bytes`
    if (code === 0) {
      this.context.report.warn(what)
      return
    }
    throw buildError('LIMIT_MEMORY', what, 'raise the memory limit, or build with fewer jobs (MAKEOPTS)')
  }

  /** systemd-nspawn would make missing mount points as the host's root, and no user of the container could write there. */
  private async makeMountPoints({ binds, limits }: RunRequest): Promise<void> {
    const missing = binds
      .filter(({ target }) => !this.mountPoints.has(target) && !target.startsWith('/run/'))
      .map(({ target }) => target)
    if (missing.length === 0) return
    const argv = ['mkdir', '--parents', '--', ...missing]
    const code = await this.runLimited({ argv, env: {}, binds: [], network: false, limits }, [], () => undefined)
    if (code !== 0) {
      throw buildError(
        'MOUNT_POINT',
        `the chroot ${this.root.name} has no place for ${missing.join(', ')}`,
        'something else than a directory is in the way there: look with `treeswap chroot shell`',
      )
    }
    for (const target of missing) this.mountPoints.add(target)
  }

  /** Two mounts of one upper layer would damage it. */
  private async alone<T>(action: () => Promise<T>): Promise<T> {
    if (this.over.signal.aborted) throw new Error('a session that has ended does nothing any more')
    if (this.running) throw new Error('a session does one thing at a time')
    this.running = true
    const result = action().finally(() => (this.running = false))
    this.done = result.catch(() => undefined)
    return result
  }
}

function tooLarge(why: string): Error {
  return buildError(
    'LIMIT_DISK',
    `the container was stopped: ${why}`,
    'see in the log what it did last; raise the limit of disk space, or make room, if the work is as it should be',
  )
}
