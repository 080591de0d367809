import { basename, dirname, join } from 'node:path'
import { makeDirectory, realPath, targetStatusOf } from '../system/files.js'
import { parseDirectory, parseRunRequest, type Session } from './requests.js'

/**
 * A session for those who name directories by any path of their own. What the caller does with its own rights is done
 * here: missing directories of writable binds are made, and links above a directory are resolved, because root follows
 * none.
 */
export function withOwnDirectories(session: Session): Session {
  return {
    uidBase: session.uidBase,
    run: async (data, onLine) => {
      const request = parseRunRequest(data)
      const binds = request.binds.map((bind) => {
        if (bind.writable) makeDirectory(bind.source)
        return { ...bind, source: withoutLinks(bind.source) }
      })
      return session.run({ ...request, binds }, onLine)
    },
    commit: () => session.commit(),
    reclaim: async (directory) => {
      if (targetStatusOf(parseDirectory(directory)) !== undefined) await session.reclaim(withoutLinks(directory))
    },
  }
}

/** The last component stays as it is: a link there is for root to refuse. */
function withoutLinks(path: string): string {
  const parent = dirname(path)
  return targetStatusOf(parent) === undefined ? path : join(realPath(parent), basename(path))
}
