import { spawn } from 'node:child_process'
import type { Duplex, Readable, Writable } from 'node:stream'
import { errorCode, readTextIfThere } from './files.js'
import { programMissing } from './process.js'

export interface ChildOptions {
  cwd?: string
  /** the program's whole environment */
  env: Record<string, string>
  input: 'pipe' | 'inherit' | 'ignore'
  output: 'pipe' | 'inherit'
}

/** A running program that is talked to while it runs. */
export interface Child {
  pid: number
  /** standard input, where it is a pipe */
  input: Writable | null
  /** standard output and standard error, where they are pipes */
  output: Readable | null
  errors: Readable | null
  /** file descriptor 3 of the program, both ways */
  control: Duplex
  /** settles when the program has ended and its output is read to the end */
  ended: Promise<{ exitCode: number | null; signal: string | null }>
  kill(): void
  /**
   * For unshare(1) --pid --fork: kills the first process of the PID namespace, so that the kernel ends all others in
   * it before unshare, which waits for it, ends. (Killing unshare would end it before they are gone.) Ends the
   * program itself where there is none yet.
   */
  killInside(): void
}

/**
 * Starts a program without waiting for it. Call it on the main thread only: a parent-death signal (setpriv
 * --pdeathsig) follows the thread that started the program.
 * @throws PROGRAM_MISSING
 */
export async function startChild(file: string, args: readonly string[], options: ChildOptions): Promise<Child> {
  const { cwd, env, input, output } = options
  const child = spawn(file, [...args], {
    stdio: [input, output, output, 'pipe'],
    env,
    ...(cwd !== undefined && { cwd }),
  })
  const ended = new Promise<{ exitCode: number | null; signal: string | null }>((resolve) =>
    child.once('close', (exitCode, signal) => resolve({ exitCode, signal })),
  )
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (cause) => reject(programMissing(file, cause)))
  })
  child.on('error', () => undefined)
  const control = child.stdio[3] as Duplex
  control.on('error', () => undefined)
  return {
    pid: child.pid ?? 0,
    input: child.stdin,
    output: child.stdout,
    errors: child.stderr,
    control,
    ended,
    kill: () => void child.kill('SIGKILL'),
    killInside: () => {
      const inside = childrenOf(child.pid ?? 0)
      if (inside.length === 0) child.kill('SIGTERM')
      for (const pid of inside) {
        try {
          process.kill(pid, 'SIGKILL')
        } catch (error) {
          if (errorCode(error) !== 'ESRCH') throw error
        }
      }
    },
  }
}

/** Direct children of a process (proc_pid_task(5)). */
function childrenOf(pid: number): number[] {
  return (readTextIfThere(`/proc/${pid}/task/${pid}/children`) ?? '')
    .split(' ')
    .map(Number)
    .filter((child) => child > 0)
}
