import type { Context } from '../model/report.js'
import { withOwnDirectories } from './own-directories.js'
import { openTalk, type Talk } from './remote-talk.js'
import { configurationError } from '../model/errors.js'
import { parseCreateRequest, parseRunRequest, type RootService, type Session } from './requests.js'

/**
 * A root service for those who are not root: the root program does the work, as its own configuration allows.
 * @param program root program and its arguments, called through sudo; one process for each request or session
 */
export function remoteRootService(program: readonly string[]): RootService {
  return {
    knowsOrigins: true,
    create: (data, context) => {
      const request = parseCreateRequest(data)
      return talking(program, context, (talk) => talk.ask({ type: 'create', request }))
    },
    list: async () => (await askWhatThereIs(program)).chroots,
    remove: () => Promise.reject(notHere('removed')),
    session: (chroot, context, use) =>
      talking(program, context, async (talk) => {
        const { uidBase } = await talk.ask({ type: 'session', chroot })
        const result = await use(withOwnDirectories(remoteSession(talk, uidBase)))
        await talk.ask({ type: 'end' })
        return result
      }),
  }
}

/** Version of the root program, the roots that there are, and the names of those that may be used. */
export async function askWhatThereIs(program: readonly string[]) {
  return talking(program, silent, async (talk) => ({
    version: talk.version,
    ...(await talk.ask({ type: 'list' })),
  }))
}

function remoteSession(talk: Talk, uidBase: number): Session {
  return {
    uidBase,
    run: async (data, onLine) => {
      const request = parseRunRequest(data)
      if (request.interactive === true) throw notHere('opened with a terminal')
      const { exitCode } = await talk.ask({ type: 'run', request }, onLine)
      return exitCode
    },
    commit: async () => {
      await talk.ask({ type: 'commit' })
    },
    reclaim: async (directory) => {
      await talk.ask({ type: 'reclaim', directory })
    },
  }
}

async function talking<T>(program: readonly string[], context: Context, use: (talk: Talk) => Promise<T>): Promise<T> {
  const talk = await openTalk(['sudo', '--non-interactive', ...program], context)
  try {
    return await use(talk)
  } finally {
    // where `use` failed, this is what undoes the session
    await talk.close()
  }
}

const nothing = (): void => undefined
const silent: Context = {
  report: { step: nothing, progress: nothing, line: nothing, warn: nothing },
  signal: new AbortController().signal,
}

function notHere(what: string): Error {
  return configurationError(
    'ROOT_NEEDED',
    `a chroot can be ${what} by root only, not through the root program`,
    'run the command as root, with --builder and the parent of the directory that root.yaml names',
  )
}
