import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'

const bsdtar = (...args: string[]): Buffer => execFileSync('bsdtar', args, { maxBuffer: 64 * 1024 * 1024 })

/** Names of what is in an archive. */
export function membersOf(archive: string): string[] {
  return bsdtar('-tf', archive).toString('utf8').trimEnd().split('\n')
}

/** Content of one of them. */
export function memberOf(archive: string, name: string): string {
  return bsdtar('-xOqf', archive, name).toString('utf8')
}

/** Names of what two packages have with different contents, or only one of them has. */
export function differingMembers(one: string, other: string): string[] {
  const [a, b] = [digests(one), digests(other)]
  return [...new Set([...a.keys(), ...b.keys()])].filter((name) => a.get(name) !== b.get(name)).sort()
}

function digests(archive: string): Map<string, string> {
  const digest = (name: string): string =>
    name.endsWith('/')
      ? 'a directory'
      : createHash('sha256')
          .update(bsdtar('-xOqf', archive, name))
          .digest('hex')
  return new Map(membersOf(archive).map((name) => [name, digest(name)]))
}
