import { join } from 'node:path'
import { buildError, infrastructureError } from '../model/errors.js'
import type { TreeswapError } from '../model/errors.js'
import { listDirectory } from '../system/files.js'
import { readForeignFile } from '../system/foreign-file.js'
import type { EmergeEvents } from './emerge-output.js'

const TAIL = 40

/**
 * Names the sources that could not be fetched; undefined where `emerge --fetchonly` failed for another reason.
 * Another try may help: mirrors come and go.
 */
export function explainFetchFailure(events: EmergeEvents, output: readonly string[]): TreeswapError | undefined {
  const packages = [...events.failed]
  if (packages.length === 0) return undefined
  const files = output.flatMap((line) => /^!!! Couldn't download '([^.'][^']*)'/.exec(line)?.[1] ?? [])
  return infrastructureError(
    'FETCH_FAILED',
    `sources of ${packages.join(', ')} could not be fetched${files.length > 0 ? `: ${files.join(', ')}` : ''}`,
    "try again later; if it stays, see SRC_URI and Manifest of the ebuild and the profile's GENTOO_MIRRORS",
  )
}

/**
 * Names the package that failed and shows the end of its own log, which the caller prints.
 * @param step the emerge arguments that failed
 * @param logs the host's directory of PORTAGE_LOGDIR; its content is the container's and not trusted
 */
export function explainFailure(
  step: readonly string[],
  events: EmergeEvents,
  logs: string,
  output: readonly string[],
): { error: TreeswapError; tail: string[] } {
  const failed = [...events.failed]
  const [first] = failed
  const tail = first === undefined ? output.slice(-TAIL) : logTail(logs, first)
  const finished = events.compiled.length
  const kept = finished > 0 ? `; what was finished before (${finished}) is kept and not compiled again` : ''
  if (first === undefined) {
    const marked = output.filter((line) => /^(!!!|emerge:)/.test(line))
    const why = (marked.length > 0 ? marked : output.filter((line) => line.startsWith(' * '))).slice(0, 3)
    const error = buildError(
      'EMERGE_FAILED',
      `emerge ${step.join(' ')} ended without building: ${(why.length > 0 ? why : output.slice(-3)).join(' | ')}`,
      `mend the profile or the ebuilds it asks for, then build again${kept}`,
    )
    return { error, tail }
  }
  const error = buildError(
    'PACKAGE_FAILED',
    `${first} failed to build${failed.length > 1 ? ` (and ${failed.slice(1).join(', ')})` : ''}`,
    `read the end of its log above; mend the ebuild or mask the version, then build again${kept}`,
  )
  return { error, tail }
}

/** The last lines of a package's newest log, `CATEGORY:PF:TIME.log` (make.conf(5), PORTAGE_LOGDIR). */
function logTail(logs: string, cpv: string): string[] {
  const prefix = `${cpv.replace('/', ':')}:`
  const name = listDirectory(logs)
    .filter((entry) => entry.isFile() && entry.name.startsWith(prefix) && entry.name.endsWith('.log'))
    .at(-1)?.name
  if (name === undefined) return [`(${cpv} left no log)`]
  const text = readForeignFile(join(logs, name), 65536, true)?.toString('utf8') ?? ''
  return text.trimEnd().split('\n').slice(-TAIL)
}
