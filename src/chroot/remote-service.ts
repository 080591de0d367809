import { configurationError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { withOwnDirectories } from './own-directories.js'
import { openTalk, type Talk } from './remote-talk.js'
import { parseCreateRequest, parseRunRequest, type RootService, type Session } from './requests.js'

type Talking = <T>(context: Context, use: (talk: Talk) => Promise<T>) => Promise<T>

const SUDO = ['sudo', '--non-interactive']

/**
 * A root service for those who are not root: the root program does the work, as its own configuration allows.
 * @param program root program and its arguments; one process for each request or session
 * @param through what makes it run as root
 */
export function remoteRootService(program: readonly string[], through: readonly string[] = SUDO): RootService {
  const talking: Talking = async (context, use) => {
    const talk = await openTalk(program, through, context)
    try {
      return await use(talk)
    } finally {
      // where `use` failed, this is what undoes the session
      await talk.close()
    }
  }
  const during =
    (type: 'session' | 'scratch'): RootService['session'] =>
    (chroot, context, use) =>
      talking(context, async (talk) => {
        const { uidBase } = await talk.ask<'session' | 'scratch'>({ type, chroot })
        const result = await use(withOwnDirectories(remoteSession(talk, uidBase)))
        await talk.ask({ type: 'end' })
        return result
      })
  return {
    knowsOrigins: true,
    create: (data, context) => {
      const request = parseCreateRequest(data)
      return talking(context, (talk) => talk.ask({ type: 'create', request }))
    },
    list: async () => (await talking(silent, (talk) => talk.ask({ type: 'list' }))).chroots,
    remove: () => Promise.reject(notHere('removed')),
    session: during('session'),
    scratch: during('scratch'),
  }
}

/**
 * What this user can have done by root.
 * @returns version of the root program, and names of the roots that its configuration allows
 */
export async function askRootProgram(program: readonly string[]): Promise<{ version: string; allowed: string[] }> {
  const talk = await openTalk(program, SUDO, silent)
  try {
    const { allowed } = await talk.ask({ type: 'list' })
    return { version: talk.version, allowed }
  } finally {
    await talk.close()
  }
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
