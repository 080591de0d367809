import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

/** Makes what lies in `directory` the newest commit of its branch main, or of a new repository there. */
export function commitAll(directory: string): string {
  const git = (...args: string[]) => execFileSync('git', ['-C', directory, ...args], { encoding: 'utf8' })
  if (!existsSync(join(directory, '.git'))) git('init', '--quiet', '--initial-branch=main')
  git('add', '--all')
  git('-c', 'user.name=t', '-c', 'user.email=t@example.org', 'commit', '--quiet', '--allow-empty', '-m', 'change')
  return git('rev-parse', 'HEAD').trim()
}
