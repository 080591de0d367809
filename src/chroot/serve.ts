import { configurationError, infrastructureError, TreeswapError } from '../model/errors.js'
import type { Context, Report } from '../model/report.js'
import { sleep } from '../system/clock.js'
import { explainDiskError } from '../system/files.js'
import { onTermination, type SudoCaller } from '../system/root-process.js'
import { version } from '../system/version.js'
import { isRoot } from './caller.js'
import { type Answer, errorReply, PROTOCOL, type Request } from './remote-protocol.js'
import { type RootService, type Session } from './requests.js'
import { openRootService } from './root-service.js'
import { type AllowedChroot, loadRootConfig, ROOT_CONFIG, type RootConfig } from './serve-config.js'
import type { Conversation } from './serve-conversation.js'
import { allowedChroot, allowedOrigin, allowedRun } from './serve-policy.js'

/** Milliseconds in which a session whose runner is gone undoes what it can; the next session does the rest. */
const LEAVING = 3000

/**
 * Serves one runner until it is gone: one list, one created root, or one session, exclusive or not.
 * @param args of the command line
 * @param caller who started this program through sudo
 */
export async function serveRunner(
  args: readonly string[],
  caller: SudoCaller | undefined,
  conversation: Conversation,
): Promise<void> {
  onTermination(() => conversation.leave())
  const serving = serve(args, caller, conversation).catch((error: unknown) =>
    conversation.send(errorReply(coded(error))),
  )
  await Promise.race([serving, conversation.gone.then(() => sleep(LEAVING))])
  await Promise.race([conversation.finish(), conversation.gone, sleep(LEAVING)])
}

async function serve(
  args: readonly string[],
  caller: SudoCaller | undefined,
  conversation: Conversation,
): Promise<void> {
  const greeting = await conversation.greeting()
  if (greeting === undefined) return
  const config = loadRootConfig(configFile(args))
  const { uid, gid } = requireCaller(caller, config)
  const own = { type: 'hello', protocol: PROTOCOL, version: version() } as const
  await conversation.send(own)
  if (greeting.protocol !== PROTOCOL) return
  const mostScratch = (name: string): number => config.chroots.get(name)?.scratch ?? 0
  const service = openRootService(config.directory, { uid, gid, below: config.binds }, mostScratch)
  const first = await conversation.next()
  if (first !== undefined) await begin(first, config, service, conversation)
}

async function begin(
  first: Request,
  config: RootConfig,
  service: RootService,
  conversation: Conversation,
): Promise<void> {
  const context: Context = { report: reportTo(conversation), signal: conversation.signal }
  const answer = <T extends Request['type']>(_: T, value: Answer<T>) => conversation.send({ type: 'answer', value })
  if (first.type === 'list') {
    const chroots = (await service.list()).filter(({ name }) => config.chroots.has(name))
    await answer('list', { chroots, allowed: [...config.chroots.keys()] })
  } else if (first.type === 'create') {
    const allowed = allowedChroot(config, first.request.name)
    await answer('create', await service.create(allowedOrigin(allowed, first.request.from), context))
  } else if (first.type === 'session' || first.type === 'scratch') {
    const { type } = first
    const allowed = allowedChroot(config, first.chroot)
    const ended = await service[type](allowed.name, context, async (session) => {
      await answer(type, { uidBase: session.uidBase })
      return serveSession(session, allowed, conversation)
    })
    if (ended) await answer('end', null)
  } else {
    throw outOfPlace(first.type)
  }
}

/** @returns whether the runner ended the session, and is not just gone */
async function serveSession(session: Session, allowed: AllowedChroot, conversation: Conversation): Promise<boolean> {
  for (;;) {
    const request = await conversation.next()
    if (request === undefined) return false
    if (request.type === 'end') return true
    try {
      const value = await perform(request, session, allowed, conversation)
      await conversation.send({ type: 'answer', value })
    } catch (error) {
      await conversation.send(errorReply(coded(error)))
    }
  }
}

async function perform(
  request: Request,
  session: Session,
  allowed: AllowedChroot,
  conversation: Conversation,
): Promise<unknown> {
  switch (request.type) {
    case 'run': {
      const run = allowedRun(allowed, request.request)
      return { exitCode: await session.run(run, (text) => conversation.send({ type: 'line', text })) }
    }
    case 'commit':
      await session.commit()
      return null
    case 'reclaim':
      await session.reclaim(request.directory)
      return null
    default:
      throw outOfPlace(request.type)
  }
}

function configFile(args: readonly string[]): string {
  const [option, file, more] = args
  if (option === undefined) return ROOT_CONFIG
  if (option === '--config' && file?.startsWith('/') === true && more === undefined) return file
  throw configurationError(
    'USAGE',
    'treeswap-root takes no arguments but --config FILE with an absolute path',
    'it is called by treeswap through sudo, not by hand (docs/jenkins-agent.md)',
  )
}

function requireCaller(caller: SudoCaller | undefined, { user }: RootConfig): SudoCaller {
  if (!isRoot() || caller === undefined || caller.uid === 0) {
    throw configurationError(
      'CALLER_UNKNOWN',
      'the root program was not called through sudo by another user',
      'it is called by treeswap where that is not root; root needs no help',
    )
  }
  if (caller.user === user) return caller
  throw configurationError(
    'CALLER_REFUSED',
    `the administrator of this host allows builds in chroots to ${user}, not to ${caller.user}`,
    'let the agent run as that user, or set `user` in root.yaml: only one user of a host can have containers',
  )
}

function reportTo(conversation: Conversation): Report {
  const tell = (kind: 'step' | 'warn' | 'line') => (text: string) =>
    void conversation.send({ type: 'report', kind, text: text.slice(0, 100_000) })
  return {
    step: tell('step'),
    warn: tell('warn'),
    line: tell('line'),
    progress: (done, total) => void conversation.send({ type: 'progress', done, total }),
  }
}

function outOfPlace(type: string): Error {
  return configurationError(
    'REQUEST_INVALID',
    `the request ${type} is out of place`,
    'a session is opened first, and nothing else is asked for in it than to run, commit, reclaim and end',
  )
}

function coded(error: unknown): TreeswapError {
  const explained = explainDiskError(error, "the host's disk")
  if (explained instanceof TreeswapError) return explained
  return infrastructureError(
    'ROOT_PROGRAM_FAILED',
    `the root program failed: ${explained instanceof Error ? explained.message : String(explained)}`,
    'run `treeswap doctor`, and the same build as root: it says more there',
    explained,
  )
}
