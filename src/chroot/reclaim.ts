import { statusOf } from '../system/files.js'
import { run } from '../system/process.js'
import { RANGE } from './uid-ranges.js'

/**
 * Makes the directories of a writable bind the container's, so that it can add and replace files everywhere in it.
 * The files stay whose they are: they may be hard links to what the host keeps elsewhere.
 */
export async function lendDirectories(top: string, uidBase: number): Promise<void> {
  const owner = `${uidBase}:${uidBase}`
  // what a user of the container owns is left to that user
  const foreign = ['(', '-uid', `-${uidBase}`, '-o', '-uid', `+${uidBase + RANGE - 1}`, ')']
  await run('find', ['-P', top, '-xdev', '-type', 'd', ...foreign, '-exec', 'chown', '-h', '--', owner, '{}', '+'], {
    env,
  })
}

/**
 * Gives what the containers of one root wrote below `directory` to this process's user, readable for it and without
 * setuid and setgid bits. Whatever has an owner outside the root's uid range is left alone, so a wrong directory does
 * no harm; symlinks are not followed. No container may be running in it.
 */
export async function reclaimTree(directory: string, uidBase: number): Promise<void> {
  if (statusOf(directory) === undefined) return
  try {
    await run('find', findArguments(directory, uidBase, '-exec'), { env })
  } catch {
    // a hostile tree can have paths that are too long to name; from inside each directory they are not
    await run('find', findArguments(directory, uidBase, '-execdir'), { env })
  }
}

/** -execdir refuses a PATH with relative entries, and ours may be anything. */
const env = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' }

function findArguments(directory: string, uidBase: number, execute: '-exec' | '-execdir'): string[] {
  const owner = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`
  return [
    ...['-P', directory, '-uid', `+${uidBase - 1}`, '-uid', `-${uidBase + RANGE}`],
    ...[execute, 'chown', '--no-dereference', '--', owner, '{}', '+'],
    // chmod(1) would follow a symlink
    ...['-not', '-type', 'l', execute, 'chmod', '--', 'u+rwX,u-s,g-s', '{}', '+'],
  ]
}
