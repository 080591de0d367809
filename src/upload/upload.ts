import type { UploadConfig } from '../config/uploads.js'
import { configurationError, publishError, TreeswapError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { sleep, ticks } from '../system/clock.js'
import { close, explainDiskError, open } from '../system/files.js'
import { aborted } from '../system/process.js'
import { isConnectionTrouble } from './connection-errors.js'
import { connected } from './connection.js'
import type { Tally } from './fill.js'
import { fillAndPoint, fillInPlace } from './layouts.js'
import { localFiles } from './local-files.js'
import type { Remote } from './remote.js'

/** A published generation of a pacman repo. */
export interface Upload {
  /** absolute */
  directory: string
  tree: string
  serial: number
}

/** What came of an upload to one host. */
export interface UploadReport {
  /** its name in the configuration */
  name: string
  host: string
  /** sent and in place, and their bytes */
  files: number
  bytes: number
  /** files that had not to be sent */
  already: number
  /** files (generations where pointers are swapped) that had left the tree for longer than the grace time */
  removed: number
  seconds: number
  error?: TreeswapError
}

export interface UploadOptions {
  /** seconds that files stay on a host after they have left the tree */
  graceSeconds: number
  /** milliseconds before each further try where a connection cannot be made or breaks off */
  pauses?: readonly number[]
  /** milliseconds after which a host that does not answer is given up */
  silence?: number
}

const PAUSES = [2000, 10_000]

/**
 * Uploads a generation to a web host: only what it does not have, and so that its clients meet no broken moment. A
 * connection that breaks off is made again; what is there by then is not sent again.
 * @returns also where it failed, which is its `error`
 * @throws ABORTED, and what the disk here does
 */
export async function uploadTree(
  upload: Upload,
  config: UploadConfig,
  options: UploadOptions,
  context: Context,
): Promise<UploadReport> {
  const { directory, tree } = upload
  const start = ticks()
  const tally: Tally = { files: 0, bytes: 0, removed: 0 }
  // an open directory is in use: a publish meanwhile does not remove the generation
  const held = open(directory, 'r')
  try {
    const source = { directory, files: localFiles(directory) }
    if (!source.files.some(({ stage }) => stage === 'index')) throw nothingToUpload(upload)
    const report = (): UploadReport => ({
      name: config.name,
      host: config.host,
      ...tally,
      already: source.files.length - tally.files,
      seconds: Math.round((ticks() - start) / 100) / 10,
    })
    context.report.step(`uploading ${tree} to ${config.name} (${config.host})`)
    try {
      await trying(config, options, context, async (remote) => {
        await requireTop(remote, config)
        const target = {
          ...upload,
          ...options,
          remote,
          source,
          tally,
          top: config.directory === '/' ? '' : config.directory,
        }
        await (config.symlinks ? fillAndPoint : fillInPlace)(target, context)
      })
      return report()
    } catch (error) {
      if (!(error instanceof TreeswapError) || error.category === 'aborted') throw error
      return { ...report(), already: 0, error }
    }
  } catch (error) {
    throw explainDiskError(error, directory)
  } finally {
    close(held)
  }
}

async function trying(
  config: UploadConfig,
  { pauses = PAUSES, silence }: UploadOptions,
  context: Context,
  use: (remote: Remote) => Promise<void>,
): Promise<void> {
  for (const pause of [...pauses, undefined]) {
    try {
      await connected(config, context, { silence }, use)
      return
    } catch (error) {
      if (pause === undefined || !isConnectionTrouble(error)) throw error
      context.report.warn(`${error.message}: trying again in ${pause / 1000} seconds`)
      await sleep(pause, context.signal)
      if (context.signal.aborted) throw aborted(`the upload to ${config.host}`)
    }
  }
}

async function requireTop(remote: Remote, { name, host, user, directory }: UploadConfig): Promise<void> {
  if ((await remote.targetStatus(directory))?.kind === 'directory') return
  throw configurationError(
    'UPLOAD_DIRECTORY_MISSING',
    `${host} has no directory ${directory}`,
    `make it there and give it to ${user}, or mend uploads.${name}.directory (where sshd locks ${user} into a directory, paths begin there)`,
  )
}

function nothingToUpload({ tree, serial }: Upload): Error {
  return publishError(
    'UPLOAD_UNSUPPORTED',
    `generation ${serial} of ${tree} has no database of pacman`,
    'only pacman repos can be uploaded: serve other trees from this host',
  )
}
