/**
 * Hudson 3.3.2: the newest server of Jenkins' family that Maven Central has. Its REST is that from which Jenkins' grew;
 * where today's Jenkins does something else, the tests that use this say so.
 */
import { createHash } from 'node:crypto'
import { cpSync, createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { run } from '../../src/system/process.js'
import { cachedDirectory, recipeKey } from '../lab/cache.js'
import { freePorts } from '../lab/ports.js'

const launcher = fileURLToPath(new URL('Launcher.java', import.meta.url))
const artifacts = ['org.eclipse.hudson:hudson-war:3.3.2:war', 'org.eclipse.hudson.plugins:git:3.0.1:hpi']
const copyGoal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy'

/** What libraries of 2015 reach into by reflection. */
const opened = [
  ...['lang', 'lang.ref', 'lang.reflect', 'util', 'util.concurrent', 'util.regex', 'text', 'io', 'net'].map(
    (name) => `java.base/java.${name}`,
  ),
  ...['awt.font', 'beans'].map((name) => `java.desktop/java.${name}`),
].map((name) => `--add-opens=${name}=ALL-UNNAMED`)

/** It never looks for plugins, agents or other servers; 0: a UDP port that is free. */
const properties = [
  '-Djava.awt.headless=true',
  '-Dhudson.udp=0',
  '-Dhudson.DNSMultiCast.disabled=true',
  '-Dhudson.model.UpdateCenter.never=true',
  '-Dhudson.model.DownloadService.never=true',
]

/** No agents from outside, no quiet period, crumbs as Jenkins has them by default. */
const configuration = `<?xml version='1.0' encoding='UTF-8'?>
<hudson>
  <numExecutors>2</numExecutors>
  <mode>NORMAL</mode>
  <quietPeriod>0</quietPeriod>
  <slaveAgentPort>-1</slaveAgentPort>
  <crumbIssuer class="hudson.security.csrf.DefaultCrumbIssuer"/>
</hudson>
`

const security = `<?xml version='1.0' encoding='UTF-8'?>
<hudsonSecurityManager>
  <useSecurity>true</useSecurity>
  <slaveAgentPort>-1</slaveAgentPort>
  <authorizationStrategy class="hudson.security.GlobalMatrixAuthorizationStrategy">
    <permission>hudson.model.Hudson.Administer:admin</permission>
    <permission>hudson.model.Hudson.Read:reader</permission>
    <permission>hudson.model.Item.Read:reader</permission>
  </authorizationStrategy>
  <securityRealm class="hudson.security.HudsonPrivateSecurityRealm"><disableSignup>true</disableSignup></securityRealm>
</hudsonSecurityManager>
`

export interface User {
  user: string
  password: string
}

export interface Hudson {
  /** without a slash at its end */
  url: string
  /** may do everything */
  admin: User
  /** may read jobs and their artifacts */
  reader: User
  /** what it logged so far: for messages when something went wrong */
  log(): string
  stop(): Promise<void>
}

/** Starts a server of its own on 127.0.0.1, in a temporary directory; it dies with this process, however that dies. */
export async function startHudson(): Promise<Hudson> {
  const program = await hudsonProgram()
  const directory = mkdtempSync(join(tmpdir(), 'treeswap-hudson-'))
  const admin = { user: 'admin', password: 'correct horse' }
  const reader = { user: 'reader', password: 'battery: staple' }
  const home = layHome(directory, program, [admin, reader])
  const log = join(directory, 'log')
  const [port = 0] = await freePorts(1)
  const url = `http://127.0.0.1:${port}`
  const child = spawn('setpriv', ['--pdeathsig', 'TERM', 'java', ...javaArguments(program, directory, home, port)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    cwd: directory,
  })
  const output = createWriteStream(log)
  child.stdout.pipe(output, { end: false })
  child.stderr.pipe(output, { end: false })
  const stop = async (): Promise<void> => {
    await ended(child)
    rmSync(directory, { recursive: true, force: true })
  }
  const hudson: Hudson = { url, admin, reader, log: () => readFileSync(log, 'utf8'), stop }
  try {
    await untilReady(hudson, child)
  } catch (error) {
    await stop()
    throw error
  }
  return hudson
}

/** The war, the plugin and the compiled launcher. */
async function hudsonProgram(): Promise<string> {
  const key = recipeKey({ artifacts, launcher: readFileSync(launcher, 'utf8') })
  return await cachedDirectory(`hudson-${key}`, async (directory) => {
    for (const artifact of artifacts) {
      const options = [`-Dartifact=${artifact}`, `-DoutputDirectory=${directory}`, '-Dmdep.stripVersion=true']
      await run('mvn', ['--batch-mode', '--quiet', copyGoal, ...options])
    }
    await run('javac', ['-d', directory, launcher])
  })
}

function layHome(directory: string, program: string, users: readonly User[]): string {
  const home = join(directory, 'home')
  mkdirSync(join(home, 'plugins'), { recursive: true })
  mkdirSync(join(directory, 'tmp'))
  cpSync(join(program, 'git.hpi'), join(home, 'plugins/git.hpi'))
  writeFileSync(join(home, 'config.xml'), configuration)
  writeFileSync(join(home, 'hudson-security.xml'), security)
  for (const { user, password } of users) {
    const hash = createHash('sha256').update(`${password}{salt}`).digest('hex')
    const details = `<passwordHash>salt:${hash}</passwordHash>`
    const property = 'hudson.security.HudsonPrivateSecurityRealm_-Details'
    mkdirSync(join(home, 'users', user), { recursive: true })
    writeFileSync(
      join(home, 'users', user, 'config.xml'),
      `<user><fullName>${user}</fullName><properties><${property}>${details}</${property}></properties></user>\n`,
    )
  }
  return home
}

function javaArguments(program: string, directory: string, home: string, port: number): string[] {
  const places = [`-DHUDSON_HOME=${home}`, `-Djava.io.tmpdir=${join(directory, 'tmp')}`]
  const listen = [`--httpPort=${port}`, '--httpListenAddress=127.0.0.1']
  return [
    ...['-Xmx512m', ...opened, ...properties, ...places, '-cp', `${program}:${join(program, 'hudson-war.war')}`],
    ...['Launcher', ...listen, '--skipInitSetup', '--updateServer=http://127.0.0.1:9/'],
  ]
}

async function untilReady(hudson: Hudson, child: ChildProcess): Promise<void> {
  const { user, password } = hudson.reader
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`
  for (let tries = 0; tries < 240; tries++) {
    if (child.exitCode !== null) break
    const answer = await fetch(`${hudson.url}/api/json`, { headers: { authorization } }).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.status === 200) return
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  throw new Error(`Hudson did not start:\n${hudson.log().slice(0, 8000)}`)
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const patience = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await exit
  clearTimeout(patience)
}
