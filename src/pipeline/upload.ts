import type { Config } from '../config/config.js'
import type { UploadConfig } from '../config/uploads.js'
import { configurationError, publishError } from '../model/errors.js'
import { didYouMean } from '../model/names.js'
import type { Context } from '../model/report.js'
import { readPointer } from '../store/generations.js'
import type { Store } from '../store/layout.js'
import { tryLock, withLock } from '../system/lock.js'
import { uploadTree } from '../upload/upload.js'
import type { UploadOptions, UploadReport } from '../upload/upload.js'
import { readUploads, recordUpload } from './upload-record.js'

/** Seconds that one upload of a tree waits for another one: as long as a large repo may take over a slow line. */
const PATIENCE = 3600

type Options = Pick<UploadOptions, 'pauses' | 'silence'>

export interface UploadRequest extends Options {
  /** name of the only host to upload to; default: all that the tree names */
  to?: string | undefined
}

/** What was uploaded: the generation that clients were served at the end. */
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
  return await alone(store, tree, context, () => uploadNewest(store, config, tree, hosts, options, context))
}

/**
 * Brings what is published to the hosts that do not have it yet: after a publish, or because an upload failed. Without
 * such a host nothing is done, and nobody waited for.
 * @returns what came of each of them
 */
export async function uploadAfterPublish(
  store: Store,
  config: Config,
  tree: string,
  context: Context,
  options: Options = {},
): Promise<UploadReport[]> {
  if (hostsBehind(store, config, tree).length === 0) return []
  return await alone(store, tree, context, async () => {
    const hosts = hostsBehind(store, config, tree)
    return (await uploadNewest(store, config, tree, hosts, options, context)).hosts
  })
}

/** @throws LOCKED, ABORTED */
async function alone<T>(store: Store, tree: string, { report, signal }: Context, action: () => Promise<T>): Promise<T> {
  const path = store.lock(`upload/${tree}`)
  const lock = { what: `the upload of tree ${tree}`, signal }
  const done = await tryLock(path, lock, action)
  if (done !== undefined) return done.value
  report.step(`waiting for another upload of ${tree} to end`)
  return await withLock(path, { ...lock, wait: PATIENCE }, action)
}

/** Until each host was brought what is published by then: a publish meanwhile is not for the next upload. */
async function uploadNewest(
  store: Store,
  { publisher: { graceSeconds } }: Config,
  tree: string,
  hosts: readonly UploadConfig[],
  options: Options,
  context: Context,
): Promise<Uploaded> {
  const came = new Map<string, { serial: number; report: UploadReport }>()
  for (;;) {
    const serial = readPointer(store, tree)?.serial
    if (serial === undefined) throw notPublished(tree)
    const host = hosts.find(({ name }) => came.get(name)?.serial !== serial)
    if (host === undefined) return { tree, serial, hosts: hosts.flatMap(({ name }) => came.get(name)?.report ?? []) }
    const upload = { directory: store.generation(tree, serial), tree, serial }
    const report = await uploadTree(upload, host, { ...options, graceSeconds }, context)
    recordUpload(store, upload, host, report)
    came.set(host.name, { serial, report: together(came.get(host.name)?.report, report) })
  }
}

/** What came of two uploads to one host. */
function together(before: UploadReport | undefined, after: UploadReport): UploadReport {
  if (before === undefined) return after
  return {
    ...after,
    files: before.files + after.files,
    bytes: before.bytes + after.bytes,
    removed: before.removed + after.removed,
    seconds: Math.round((before.seconds + after.seconds) * 10) / 10,
  }
}

function hostsBehind(store: Store, config: Config, tree: string): UploadConfig[] {
  const serial = readPointer(store, tree)?.serial
  if (serial === undefined || (config.pacman.get(tree)?.upload ?? []).length === 0) return []
  const records = readUploads(store, tree)
  return hostsOf(config, tree, undefined).filter(({ name, host, directory }) => {
    const record = records.get(name)
    return record?.generation?.serial !== serial || record.host !== host || record.directory !== directory
  })
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
