import { listDirectory, readLink } from '../system/files.js'

/**
 * Where the processes of this host are: their working and root directories and open files, as far as this user may
 * see them (root sees all). A server that runs in a container of its own is not among them.
 */
export function pathsInUse(): string[] {
  return listDirectory('/proc')
    .filter(({ name }) => /^\d+$/.test(name))
    .flatMap(({ name }) => linksOf(`/proc/${name}`))
}

function linksOf(process: string): string[] {
  return [`${process}/cwd`, `${process}/root`, ...openFiles(`${process}/fd`)].flatMap(target)
}

function openFiles(directory: string): string[] {
  try {
    return listDirectory(directory).map(({ name }) => `${directory}/${name}`)
  } catch {
    return [] // it has ended, or is another user's
  }
}

function target(link: string): string[] {
  try {
    return [readLink(link)]
  } catch {
    return [] // it has ended, or is another user's
  }
}
