import * as z from 'zod'
import type { Report } from '../model/report.js'
import { now } from '../system/clock.js'
import { temporaryFor } from './paths.js'
import type { Remote } from './remote.js'

/** Lies beside what it tells of; a dot file, which web servers hide or nobody asks for. */
export const MANIFEST = '.treeswap-upload.json'
/** 100,000 files have 25 MB */
const LIMIT = 64 * 1024 * 1024

const seconds = z.int().nonnegative()
/** Relative, and nothing in it begins with a dot: the manifest comes from another host, and files are removed by it. */
const path = z.string().regex(/^[^./\p{Cc}][^/\p{Cc}]*(\/[^./\p{Cc}][^/\p{Cc}]*)*$/u)

const file = z.strictObject({
  size: z.int().nonnegative(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** of the file here */
  mtime: seconds,
  /** of the file there, as the host said when it had been written */
  remoteMtime: seconds,
})
export type UploadedFile = z.infer<typeof file>

const schema = z.strictObject({
  schema: z.literal(1),
  /** who wrote it: `run` of a Remote */
  run: z
    .string()
    .regex(/^[0-9a-f]+$/)
    .optional(),
  files: z.array(z.tuple([path, file])),
  sending: z.array(z.tuple([path, file.pick({ size: true, mtime: true })])),
  leaving: z.array(z.tuple([path, z.iso.datetime()])),
  left: z.iso.datetime().optional(),
})

/** What uploads have brought to a directory. */
export interface Manifest {
  files: Map<string, UploadedFile>
  /** what an upload that did not end may have brought */
  sending: Map<string, Pick<UploadedFile, 'size' | 'mtime'>>
  /** what is to be removed after the grace time, and since when (ISO 8601, UTC) it is not of the tree any more */
  leaving: Map<string, string>
  /** of a generation: since when no pointer leads to it */
  left: string | undefined
}

function emptyManifest(): Manifest {
  return { files: new Map(), sending: new Map(), leaving: new Map(), left: undefined }
}

/** Empty where there is none, or none that can be read: then what is there is looked at, and nothing is removed. */
export async function readManifest(remote: Remote, directory: string, report: Report): Promise<Manifest> {
  const file = `${directory}/${MANIFEST}`
  if ((await remote.status(file))?.kind !== 'file') return emptyManifest()
  const data = parse(await remote.read(file, LIMIT))
  if (data === undefined) {
    report.warn(`${file} is damaged there: what was uploaded before is compared anew, and stays`)
    return emptyManifest()
  }
  const { files, sending, leaving, left } = data
  return { files: new Map(files), sending: new Map(sending), leaving: new Map(leaving), left }
}

export async function writeManifest(remote: Remote, directory: string, manifest: Manifest): Promise<void> {
  const { files, sending, leaving, left } = manifest
  const data = { schema: 1, run: remote.run, files: [...files], sending: [...sending], leaving: [...leaving], left }
  const temporary = `${directory}/${temporaryFor(MANIFEST, remote.run)}`
  try {
    await remote.write(temporary, [Buffer.from(JSON.stringify(data) + '\n')], Math.floor(now() / 1000))
    await remote.rename(temporary, `${directory}/${MANIFEST}`)
  } catch (error) {
    await remote.removeFile(temporary).catch(() => undefined)
    throw error
  }
}

/** Whether the manifest that lies there was written over this connection, and by no other upload since. */
export async function isOwnManifest(remote: Remote, directory: string): Promise<boolean> {
  const file = `${directory}/${MANIFEST}`
  if ((await remote.status(file))?.kind !== 'file') return false
  const start = `{"schema":1,"run":"${remote.run}",`
  return String(await remote.readStart(file, start.length)) === start
}

function parse(content: Buffer | undefined): z.infer<typeof schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(String(content))).data
  } catch {
    return undefined
  }
}
