import { Socket } from 'node:net'
import type { Readable, Writable } from 'node:stream'

/** Who called this program through sudo, as sudo itself says (sudo(8), ENVIRONMENT). */
export interface SudoCaller {
  uid: number
  gid: number
  user: string
}

/**
 * Makes this process independent of what its caller has set: environment, file mode mask, signals of a terminal.
 * @returns the caller; undefined where it was not started by sudo
 */
export function settleRootProcess(): SudoCaller | undefined {
  const { SUDO_UID = '', SUDO_GID = '', SUDO_USER = '' } = process.env
  for (const name of Object.keys(process.env)) Reflect.deleteProperty(process.env, name)
  process.env.PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
  process.env.LC_ALL = 'C'
  process.umask(0o022)
  process.chdir('/')
  // a terminal sends them to the runner as well, which says what is to be done
  for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined)
  if (!/^\d{1,10}$/.test(SUDO_UID) || !/^\d{1,10}$/.test(SUDO_GID)) return undefined
  return { uid: Number(SUDO_UID), gid: Number(SUDO_GID), user: SUDO_USER }
}

/** Calls `stop` when this process is asked to end. */
export function onTermination(stop: () => void): void {
  process.once('SIGTERM', stop)
}

/**
 * Standard input and output as streams that never block this process: a reader who does not read must not keep it from
 * hearing and from its clocks, as Node's own process.stdout would.
 */
export function standardStreams(): { input: Readable; output: Writable } {
  try {
    return { input: process.stdin, output: new Socket({ fd: 1, readable: false, writable: true }) }
  } catch {
    process.stderr.write('treeswap-root talks to treeswap, over pipes: it is not called by hand\n')
    return process.exit(1)
  }
}
