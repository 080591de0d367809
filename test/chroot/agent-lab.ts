import { execFileSync } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { once } from 'node:events'
import { openTalk, type Talk } from '../../src/chroot/remote-talk.js'
import { remoteRootService } from '../../src/chroot/remote-service.js'
import type { RootService } from '../../src/chroot/requests.js'
import { AgentUser } from '../lab/agent-user.js'
import { makeContext } from './lab.js'
import { makeSmallRoot } from './small-root.js'

/** An agent's host: what is root's, what is the agent's, and what neither may touch. */
export interface AgentLab {
  user: AgentUser
  /** root's: holds chroots/ and source/ */
  top: string
  /** the agent's builder directory */
  builder: string
  service: RootService
  configure: (more?: { chroot?: string; binds?: string }) => void
  remove(): void
}

export function makeAgentLab(): AgentLab {
  const user = new AgentUser()
  // below /var/lib, because nobody but root may be able to write above what root relies on
  const top = mkdtempSync('/var/lib/treeswap-agent-')
  execFileSync('chmod', ['755', top])
  makeSmallRoot(join(top, 'source'))
  mkdirSync(join(top, 'chroots'))
  const base = 524_288 + 65_536 * randomInt(1000, 20_000)
  writeFileSync(join(top, 'chroots/.uid-ranges.json'), JSON.stringify({ next: base }))
  const builder = user.makeDirectory(top, 'builder')
  const configure: AgentLab['configure'] = ({ chroot = '', binds = builder } = {}) =>
    user.configure(`schema: 1
user: ${user.name}
directory: ${top}/chroots
binds: [${binds}]
chroots:
  allowed: { from: ${top}/source${chroot} }
  by-hand: {}
`)
  configure()
  return {
    user,
    top,
    builder,
    service: remoteRootService(user.program, user.sudo),
    configure,
    remove: () => {
      rmSync(top, { recursive: true })
      user.remove()
    },
  }
}

/** Owners, modes and link targets below a directory, to see that nothing there has changed. */
export function ownersBelow(directory: string, depth = 3): string {
  const where = [directory, '-ignore_readdir_race', '-xdev', '-maxdepth', String(depth)]
  const print = ['-type', 'd', '-printf', '%P %U:%G %m\n', '-o', '-printf', '%P %U:%G %m %l %s\n']
  const found = execFileSync('find', [...where, ...print], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  return found.split('\n').flatMap(withoutAccounts).join('\n')
}

/** Other tests add users at the same time: the sizes of these files, and the copies made of them, say nothing. */
function withoutAccounts(line: string): string[] {
  const [, rest] = /^(?:passwd|shadow|group|gshadow|subuid|subgid)(.*)/.exec(line) ?? []
  if (/^(sudoers\.d\/|\.pwd\.lock)/.test(line) || rest?.startsWith(' ') === false) return []
  return [rest === undefined ? line : line.replace(/ \d+$/, '')]
}

/** A session in which requests go to the root program as they are, without what an honest runner checks and prepares. */
export async function rawSession<T>(
  { user }: AgentLab,
  use: (talk: Talk) => Promise<T>,
  type: 'session' | 'scratch' = 'session',
): Promise<T> {
  const talk = await openTalk(user.program, user.sudo, makeContext())
  try {
    await talk.ask<'session' | 'scratch'>({ type, chroot: 'allowed' })
    const result = await use(talk)
    await talk.ask({ type: 'end' })
    return result
  } finally {
    await talk.close()
  }
}

/** Says whatever it likes to the root program as the user, and collects what it answers until it ends. */
export async function sayTo(
  { user }: AgentLab,
  messages: readonly (string | Buffer | object)[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<{ replies: Record<string, unknown>[]; errors: string }> {
  const child = user.start(['sudo', '-n', ...user.program], env)
  let output = ''
  let errors = ''
  child.stdout!.on('data', (chunk) => (output += String(chunk)))
  child.stderr!.on('data', (chunk) => (errors += String(chunk)))
  child.stdin!.on('error', () => undefined)
  let answered = 0
  const count = () => output.split('\n').filter((line) => /"type":"(answer|error|hello)"/.test(line)).length
  for (const message of messages) {
    child.stdin!.write(
      typeof message === 'string' || Buffer.isBuffer(message) ? message : `${JSON.stringify(message)}\n`,
    )
    answered++
    const until = Date.now() + 10_000
    while (count() < answered && child.exitCode === null && Date.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
  child.stdin!.end()
  if (child.exitCode === null) await once(child, 'close')
  const replies = output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>)
  return { replies, errors }
}
