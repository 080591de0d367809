import { join } from 'node:path'
import * as z from 'zod'
import { readStateFile, writeStateFile } from '../agent/state-file.js'
import type { UploadConfig } from '../config/uploads.js'
import type { Store } from '../store/layout.js'
import { now } from '../system/clock.js'
import type { Upload, UploadReport } from '../upload/upload.js'

const at = z.iso.datetime()
const serial = z.int().positive()

const uploaded = z.object({
  /** where that host keeps it: another place has to be brought everything anew */
  host: z.string(),
  directory: z.string(),
  /** the last generation that it got as a whole */
  generation: z.object({ serial, at }).optional(),
  /** of the last upload, where it failed */
  failure: z.object({ serial, at, code: z.string(), message: z.string(), hint: z.string() }).optional(),
})

const schema = z.object({
  schema: z.literal(1),
  tree: z.string(),
  hosts: z.record(z.string(), uploaded).transform((hosts) => new Map(Object.entries(hosts))),
})

export type UploadRecord = z.infer<typeof uploaded>

/**
 * What each host got by the last upload from here, by its name in the configuration: only those that were uploaded to.
 * @returns empty where none is recorded, or the record cannot be read: nothing depends on it but what is told
 */
export function readUploads(store: Store, tree: string): ReadonlyMap<string, UploadRecord> {
  const data = readStateFile(placeOf(store, tree), schema)
  return data?.tree === tree ? data.hosts : new Map()
}

/** Records what came of an upload to one host. The caller holds the lock on uploads of the tree. @throws what the disk does */
export function recordUpload(
  store: Store,
  { tree, serial: sent }: Pick<Upload, 'tree' | 'serial'>,
  { name, host, directory }: Pick<UploadConfig, 'name' | 'host' | 'directory'>,
  { error }: Pick<UploadReport, 'error'>,
): void {
  const hosts = new Map(readUploads(store, tree))
  const time = new Date(now()).toISOString()
  const before = hosts.get(name)
  const generation = before?.host === host && before.directory === directory ? before.generation : undefined
  const came =
    error === undefined
      ? { generation: { serial: sent, at: time } }
      : { generation, failure: { serial: sent, at: time, code: error.code, message: error.message, hint: error.hint } }
  hosts.set(name, { host, directory, ...came })
  writeStateFile(placeOf(store, tree), { schema: 1, tree, hosts: Object.fromEntries(hosts) })
}

function placeOf(store: Store, tree: string): string {
  return join(store.root, 'uploads', `${tree}.json`)
}
