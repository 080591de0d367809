import type { RootService } from '../chroot/requests.js'
import { TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { sleep } from '../system/clock.js'
import { aborted } from '../system/process.js'

/** Milliseconds between two tries. */
const PAUSE = 10_000

/**
 * A root service for jobs, which nobody repeats when they fail: a chroot that another job has is waited for, without an
 * end but the caller's own time limit.
 */
export function waitingForRoots(service: RootService, pause = PAUSE): RootService {
  return {
    knowsOrigins: service.knowsOrigins,
    list: () => service.list(),
    create: (request, context) => whenFree(request.name, context, pause, () => service.create(request, context)),
    remove: (name, context) => whenFree(name, context, pause, () => service.remove(name, context)),
    session: (name, context, use) => whenFree(name, context, pause, () => service.session(name, context, use)),
    scratch: (name, context, use) => whenFree(name, context, pause, () => service.scratch(name, context, use)),
  }
}

async function whenFree<T>(
  name: string,
  { report, signal }: Context,
  pause: number,
  action: () => Promise<T>,
): Promise<T> {
  for (let told = false; ; told = true) {
    try {
      return await action()
    } catch (error) {
      if (!(error instanceof TreeswapError) || error.code !== 'CHROOT_BUSY') throw error
      if (!told) report.step(`waiting for the chroot ${name}, which another build is using`)
      await sleep(pause, signal)
      if (signal.aborted) throw aborted(`the wait for the chroot ${name}`)
    }
  }
}
