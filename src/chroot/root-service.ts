import { dirname } from 'node:path'
import { TreeswapError, configurationError, infrastructureError } from '../model/errors.js'
import { didYouMean } from '../model/names.js'
import type { Context } from '../model/report.js'
import { now } from '../system/clock.js'
import { listDirectory, makeDirectory, removeFile, syncDirectory, syncFileSystem } from '../system/files.js'
import { withLock } from '../system/lock.js'
import { type Caller, isRoot, ownCaller } from './caller.js'
import { dropLeftovers, layerPath, ownTop, removeForeign } from './layers.js'
import { type RootPaths, rootPaths } from './layout.js'
import { withOwnDirectories } from './own-directories.js'
import { type CreateRequest, parseCreateRequest, type RootService, type Session } from './requests.js'
import { type ChrootInfo, readRoot, writeHead, writeRecord } from './root-record.js'
import { inScratchPlace, ScratchSession } from './scratch.js'
import { LockedSession } from './session.js'
import { fillLayer } from './source.js'
import { abandonedRanges, allocateUidRange, keepUidRange } from './uid-ranges.js'

/**
 * @param directory BUILDER/chroots; made when it is not there. Each root below it is closed to other users.
 * @param caller whom root works for where that is not root itself
 * @param mostScratch how many scratch sessions of a root may run at a time
 */
export function openRootService(
  directory: string,
  caller?: Caller,
  mostScratch: (name: string) => number = () => Infinity,
): RootService {
  const callerOf = (): Caller => {
    const taken = listRoots(directory).map(({ uidBase }) => uidBase)
    return { ...(caller ?? ownCaller()), abandoned: abandonedRanges(directory, taken) }
  }
  /** Gives the session to `use`, and undoes it whatever happens. */
  async function undone<T>(
    session: LockedSession,
    context: Context,
    use: (session: Session) => Promise<T>,
  ): Promise<T> {
    let result: T
    try {
      result = await use(caller === undefined ? withOwnDirectories(session) : session)
    } catch (error) {
      // what went wrong first is what the reader has to know; the next session cleans up again
      await session.end().catch((later: unknown) => context.report.warn(String(later)))
      throw error
    }
    await session.end()
    return result
  }
  const service: RootService = {
    knowsOrigins: false,
    create: async (data, context) => {
      requireRoot()
      const request = parseCreateRequest(data)
      const paths = rootPaths(directory, request.name)
      makeDirectory(directory)
      return locked(paths, request.name, context, () => create(paths, request, directory, context))
    },
    list: () => Promise.resolve(listRoots(directory)),
    remove: async (name, context) => {
      requireRoot()
      const paths = existing(directory, name)
      await locked(paths, name, context, async () => {
        const { layers } = present(directory, name)
        context.report.step(`removing the chroot ${name}`)
        await dropLeftovers(paths, layers)
        // from here on it is no root any more, whatever happens
        removeFile(paths.head)
        await removeForeign(paths.top)
      })
    },
    session: async <T>(name: string, context: Context, use: (session: Session) => Promise<T>) => {
      requireRoot()
      const paths = existing(directory, name)
      return locked(paths, name, context, async () => {
        const root = present(directory, name)
        await dropLeftovers(paths, root.layers)
        return undone(new LockedSession(paths, root, callerOf(), context), context, use)
      })
    },
    scratch: async <T>(name: string, context: Context, use: (session: Session) => Promise<T>) => {
      requireRoot()
      const paths = existing(directory, name)
      const shared = () => {
        const root = present(directory, name)
        return inScratchPlace(paths, { name, most: mostScratch(name) }, context, (place) =>
          undone(new ScratchSession(paths, root, callerOf(), context, place), context, use),
        )
      }
      return locked(paths, name, context, shared, true)
    },
  }
  return service
}

/** @throws ROOT_NEEDED */
function requireRoot(): void {
  if (isRoot()) return
  throw configurationError('ROOT_NEEDED', 'chroots can be made and used by root only', 'run the command as root (sudo)')
}

async function create(
  paths: RootPaths,
  { name, from }: CreateRequest,
  directory: string,
  context: Context,
): Promise<ChrootInfo> {
  if (readRoot(paths) !== undefined) {
    throw configurationError(
      'CHROOT_EXISTS',
      `there is a chroot ${name} already`,
      `remove it first (treeswap chroot remove ${name}), or choose another name`,
    )
  }
  if (from === undefined) {
    throw configurationError(
      'CHROOT_ORIGIN',
      `nothing says what the chroot ${name} is to be made from`,
      'name a tarball or a directory: `treeswap chroot create --from`, or `from` in the configuration',
    )
  }
  const source = 'tarball' in from ? from.tarball : from.directory
  context.report.step(`creating the chroot ${name} from ${source}`)
  await removeForeign(paths.top)
  try {
    const taken = listRoots(directory).map((root) => root.uidBase)
    const uidBase = await allocateUidRange(directory, name, taken)
    const layer = layerPath(paths, 1)
    makeDirectory(paths.top, 0o700)
    makeDirectory(layer)
    ownTop(layer, uidBase)
    await fillLayer(from, layer, uidBase, context)
    ownTop(layer, uidBase)
    await syncFileSystem(paths.top)
    writeRecord(paths, { name, uidBase, created: new Date(now()).toISOString(), from: source })
    await keepUidRange(directory, name)
    writeHead(paths, [1])
    syncDirectory(directory)
  } catch (error) {
    await removeForeign(paths.top)
    throw error
  }
  return present(directory, name)
}

function listRoots(directory: string): ChrootInfo[] {
  return listDirectory(directory)
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .flatMap(({ name }) => readRoot(rootPaths(directory, name)) ?? [])
}

/** Checked before the lock is taken, which would make files for whatever name. */
function existing(directory: string, name: string): RootPaths {
  present(directory, name)
  return rootPaths(directory, name)
}

function present(directory: string, name: string): ChrootInfo {
  const root = readRoot(rootPaths(directory, name))
  if (root !== undefined) return root
  const names = listRoots(directory).map((each) => each.name)
  const near = didYouMean(name, names)
  const there = names.length === 0 ? 'there is none yet' : `there are: ${names.join(', ')}`
  throw configurationError(
    'CHROOT_MISSING',
    `there is no chroot ${name}`,
    near || `${there}; \`treeswap chroot create ${name} --from TARBALL-OR-DIRECTORY\` makes it`,
  )
}

async function locked<T>(
  paths: RootPaths,
  name: string,
  { signal }: Context,
  action: () => Promise<T>,
  shared = false,
): Promise<T> {
  const state = { entered: false }
  // who can open a lock can hold it
  makeDirectory(dirname(paths.lock), 0o700)
  try {
    return await withLock(paths.lock, { what: `the chroot ${name}`, signal, shared }, () => {
      state.entered = true
      return action()
    })
  } catch (error) {
    if (state.entered || !(error instanceof TreeswapError) || error.code !== 'LOCKED') throw error
    throw infrastructureError('CHROOT_BUSY', error.message, error.hint, error)
  }
}
