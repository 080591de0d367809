import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export interface Sshd {
  log: () => string
  stop: () => Promise<void>
}

/**
 * A real sshd that lets in by keys only and ends with this process.
 * @param directory gets its configuration and its log
 * @param settings lines of sshd_config: where it listens, its host keys, whom it lets in
 */
export async function startSshd(directory: string, settings: readonly string[]): Promise<Sshd> {
  const file = join(directory, 'sshd_config')
  const log = join(directory, 'sshd.log')
  const common = [
    'PidFile none',
    'StrictModes yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'LogLevel VERBOSE',
  ]
  writeFileSync(file, [...settings, ...common].join('\n') + '\n')
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 })
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', '/usr/sbin/sshd', '-D', '-f', file, '-E', log], {
    stdio: 'ignore',
  })
  const read = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '')
  const exit = new Promise((resolve) => child.once('exit', resolve))
  for (let tries = 0; !read().includes('Server listening'); tries++) {
    if (child.exitCode !== null || tries > 200) throw new Error(`sshd did not start: ${read()}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return {
    log: read,
    stop: async () => {
      child.kill('SIGTERM')
      await exit
    },
  }
}
