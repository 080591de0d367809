import type { Config } from '../config/config.js'
import type { UploadConfig } from '../config/uploads.js'
import { configurationError, publishError } from '../model/errors.js'
import { didYouMean } from '../model/names.js'
import type { Context } from '../model/report.js'
import { readPointer } from '../store/generations.js'
import type { Store } from '../store/layout.js'
import { withLock } from '../system/lock.js'
import { uploadTree } from '../upload/upload.js'
import type { UploadOptions, UploadReport } from '../upload/upload.js'
import { recordUpload } from './upload-record.js'

/** Seconds that one upload of a tree waits for another one. */
const PATIENCE = 30

export interface UploadRequest extends Pick<UploadOptions, 'pauses' | 'silence'> {
  /** name of the only host to upload to; default: all that the tree names */
  to?: string | undefined
}

/** What was uploaded: the generation that clients were served when it began. */
export interface Uploaded {
  tree: string
  serial: number
  hosts: UploadReport[]
}

/**
 * Uploads what is published of a pacman repo to every host that its configuration names, one after the other; where
 * one fails the others get it.
 * @throws UPLOAD_NOWHERE, UPLOAD_UNKNOWN, TREE_UNKNOWN, NOT_PUBLISHED, LOCKED, ABORTED
 */
export async function uploadPublished(
  store: Store,
  config: Config,
  tree: string,
  { to, ...options }: UploadRequest,
  context: Context,
): Promise<Uploaded> {
  const hosts = hostsOf(config, tree, to)
  const { graceSeconds } = config.publisher
  const lock = { what: `the upload of tree ${tree}`, wait: PATIENCE, signal: context.signal }
  return await withLock(store.lock(`upload/${tree}`), lock, async () => {
    const serial = readPointer(store, tree)?.serial
    if (serial === undefined) throw notPublished(tree)
    const upload = { directory: store.generation(tree, serial), tree, serial }
    const reports: UploadReport[] = []
    for (const host of hosts) {
      const report = await uploadTree(upload, host, { ...options, graceSeconds }, context)
      recordUpload(store, upload, host, report)
      reports.push(report)
    }
    return { tree, serial, hosts: reports }
  })
}

/** Uploads what was just published, where the configuration says to where. @returns what came of each host */
export async function uploadAfterPublish(
  store: Store,
  config: Config,
  tree: string,
  context: Context,
): Promise<UploadReport[]> {
  if ((config.pacman.get(tree)?.upload ?? []).length === 0) return []
  return (await uploadPublished(store, config, tree, {}, context)).hosts
}

function hostsOf({ pacman, uploads, file }: Config, tree: string, to: string | undefined): UploadConfig[] {
  const repo = pacman.get(tree)
  if (repo === undefined) {
    throw configurationError(
      'TREE_UNKNOWN',
      `${file} has no pacman repo ${tree}`,
      didYouMean(tree, pacman.keys()) || 'name one of the section pacman: other trees are not uploaded',
    )
  }
  if (repo.upload.length === 0) {
    throw configurationError(
      'UPLOAD_NOWHERE',
      `${file} names no host to which ${tree} is uploaded`,
      `describe the host in the section uploads, and name it in pacman.${tree}.upload`,
    )
  }
  if (to !== undefined && !repo.upload.includes(to)) {
    throw configurationError(
      'UPLOAD_UNKNOWN',
      `${tree} is not uploaded to ${to}`,
      didYouMean(to, repo.upload) || `pacman.${tree}.upload names ${repo.upload.join(', ')}`,
    )
  }
  return (to === undefined ? repo.upload : [to]).flatMap((name) => uploads.get(name) ?? [])
}

function notPublished(tree: string): Error {
  return publishError(
    'NOT_PUBLISHED',
    `nothing of ${tree} is published`,
    `\`treeswap publish ${tree}\` publishes the latest build; then upload it`,
  )
}
