/** Real servers on 127.0.0.1, run from the configuration that `treeswap config` prints. */
import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { join } from 'node:path'

export interface Server {
  /** what it logged so far: for messages when something went wrong */
  log(): string
  stop(): Promise<void>
}

/** @param configuration what `treeswap config rsyncd` prints */
export async function startRsyncd(directory: string, port: number, configuration: string): Promise<Server> {
  mkdirSync(directory, { recursive: true })
  const file = join(directory, 'rsyncd.conf')
  const log = join(directory, 'rsyncd.log')
  writeFileSync(file, configuration)
  const daemon = ['--daemon', '--no-detach', '--address=127.0.0.1', `--port=${port}`]
  return await start('rsync', [...daemon, `--config=${file}`, `--log-file=${log}`], port, log)
}

/**
 * @param blocks server blocks: what `treeswap config nginx` prints, and others
 * @param port one of those that the blocks listen on
 */
export async function startNginx(directory: string, port: number, blocks: readonly string[]): Promise<Server> {
  mkdirSync(join(directory, 'temp'), { recursive: true })
  const file = join(directory, 'nginx.conf')
  const log = join(directory, 'error.log')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${join(directory, 'temp', kind)};`,
  )
  const http = [...temporary, `access_log ${join(directory, 'access.log')};`, ...blocks].join('\n')
  writeFileSync(
    file,
    `daemon off;\nworker_processes 1;\npid ${join(directory, 'nginx.pid')};\nevents {}\nhttp {\n${http}\n}\n`,
  )
  return await start('nginx', ['-e', log, '-p', directory, '-c', file], port, log)
}

/** Serves every git repository below `directory` as git://127.0.0.1:PORT/NAME. */
export async function startGitDaemon(directory: string, port: number): Promise<Server> {
  const program = join(execFileSync('git', ['--exec-path'], { encoding: 'utf8' }).trim(), 'git-daemon')
  const options = ['--export-all', '--reuseaddr', '--listen=127.0.0.1', `--port=${port}`]
  return await start(program, [...options, `--base-path=${directory}`, directory], port, join(directory, 'daemon.log'))
}

/** A plain web server for a directory, as a block for startNginx. */
export function directoryBlock(port: number, directory: string): string {
  return `server { listen 127.0.0.1:${port}; location /distfiles/ { alias ${directory}/; } }`
}

/** The server dies with this process, however that dies. */
async function start(program: string, args: string[], port: number, log: string): Promise<Server> {
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', program, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk) => (said += String(chunk)))
  const server: Server = { log: () => said + readIfThere(log), stop: () => stop(child) }
  for (let tries = 0; !(await answers(port)); tries++) {
    if (child.exitCode !== null || tries > 100) {
      await server.stop()
      throw new Error(`${program} did not start: ${server.log()}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return server
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  await ended
}

async function answers(port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = createConnection({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
