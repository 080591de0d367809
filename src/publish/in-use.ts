import { errorCode, listDirectory, readLink } from '../system/files.js'

export interface PathsInUse {
  paths: string[]
  /** false where some process hides what it uses from this user: only root sees all */
  complete: boolean
}

/**
 * Where the processes of this host are: their working and root directories and open files, as far as this user may
 * see them. A server that runs in a container of its own is not among them.
 */
export function pathsInUse(): PathsInUse {
  const processes = listDirectory('/proc').filter(({ name }) => /^\d+$/.test(name))
  // Where /proc is mounted with hidepid, processes of others are not even listed.
  const found: PathsInUse = { paths: [], complete: processes.some(({ name }) => name === '1') }
  for (const { name } of processes) {
    for (const link of linksOf(`/proc/${name}`, found)) look(found, () => found.paths.push(readLink(link)))
  }
  return found
}

function linksOf(process: string, found: PathsInUse): string[] {
  const links = [`${process}/cwd`, `${process}/root`]
  look(found, () => links.push(...listDirectory(`${process}/fd`).map(({ name }) => `${process}/fd/${name}`)))
  return links
}

/** A process that has ended is in nobody's way; one that may not be looked at may be. */
function look(found: PathsInUse, action: () => void): void {
  try {
    action()
  } catch (error) {
    if (['EACCES', 'EPERM'].includes(errorCode(error) ?? '')) found.complete = false
  }
}
