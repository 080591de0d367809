import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** When a process came and went, in milliseconds since the epoch: never earlier than it was, later by a look at most. */
export interface WatchedProcess {
  seen: Promise<number>
  gone: Promise<number>
}

const INTERVAL = 50

/**
 * Looks for a process of this host, in whatever container it runs, every 50 ms until it came and went.
 * @param commandLine program and arguments, with spaces between them
 */
export function watchProcess(commandLine: string): WatchedProcess {
  const isIt = (pid: string): boolean => commandLineOf(pid) === commandLine
  const seen = until(() => readdirSync('/proc').find((name) => /^\d+$/.test(name) && isIt(name)))
  const gone = seen.then(({ value: pid }) => until(() => (isIt(pid) ? undefined : true)))
  return { seen: seen.then(({ when }) => when), gone: gone.then(({ when }) => when) }
}

async function until<T>(look: () => T | undefined): Promise<{ value: T; when: number }> {
  for (;;) {
    const value = look()
    if (value !== undefined) return { value, when: Date.now() }
    await sleep(INTERVAL, undefined, { ref: false })
  }
}

/** Empty where it has ended, also where nobody has waited for it. */
function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1).join(' ')
  } catch {
    return ''
  }
}
