import { isDeepStrictEqual } from 'node:util'
import type { Context } from '../model/report.js'
import { now } from '../system/clock.js'
import type { LocalFile, Stage } from './local-files.js'
import { writeManifest } from './manifest.js'
import type { Manifest } from './manifest.js'
import { temporaryFor } from './paths.js'
import type { Remote } from './remote.js'
import { sendFile } from './send.js'
import { sideBySide } from './side-by-side.js'
import { surveyOf } from './survey.js'
import type { Source, Survey } from './survey.js'

/** What an upload has done so far, whatever becomes of it. */
export interface Tally {
  files: number
  bytes: number
  removed: number
}

export interface Fill {
  remote: Remote
  /** absolute, on the host; made where it is missing, in a parent that is there */
  directory: string
  source: Source
  /** seconds that files stay after they have left the tree */
  graceSeconds: number
  tally: Tally
  /** a directory there, whose files get a second name where they are the same */
  previous?: string | undefined
}

/**
 * Makes a directory of a host hold the files of a generation. It may be stopped at any moment: whichever database is
 * there, all that it names is there, too. Packages go first, then their signatures, then databases; what has left the
 * tree is removed last, and only what uploads brought.
 * @throws UPLOAD_PATH_TAKEN, UPLOAD_NO_LINKS, UPLOAD_NOT_ATOMIC, and what Remote throws
 */
export async function fill(upload: Fill, context: Context): Promise<void> {
  const { remote, directory, source } = upload
  const survey = await surveyOf(remote, directory, source, context.report)
  for (const path of survey.tree.leftovers) await remote.removeFile(`${directory}/${path}`)
  if (survey.missing.length > 0) {
    for (const path of survey.tree.missing) await remote.makeDirectory(path)
    await writeManifest(remote, directory, announced(survey))
    await linkPrevious(upload, survey, context)
    await sendMissing(upload, survey, context)
  }
  const manifest = await removeDeparted(upload, survey)
  if (survey.missing.length > 0 || !isDeepStrictEqual(manifest, survey.manifest)) {
    await writeManifest(remote, directory, manifest)
  }
}

/** Says what is going to be brought, so that it is known to be ours whatever happens now. */
function announced({ manifest, missing }: Survey): Manifest {
  const sending = new Map(manifest.sending)
  for (const { path, size, mtime } of missing) sending.set(path, { size, mtime })
  return { ...manifest, sending }
}

async function linkPrevious(
  { remote, directory, source, previous }: Fill,
  survey: Survey,
  { report }: Context,
): Promise<void> {
  if (previous === undefined) return
  const { there: same } = await surveyOf(remote, previous, source, report)
  const linkable = survey.missing.filter(({ path }) => same.has(path) && !survey.tree.entries.has(path))
  await sideBySide(linkable, async ({ path }) => {
    const file = same.get(path)
    if (file && (await remote.link(`${previous}/${path}`, `${directory}/${path}`))) survey.there.set(path, file)
  })
}

async function sendMissing(upload: Fill, survey: Survey, { report }: Context): Promise<void> {
  const { remote, directory, source, tally } = upload
  const toSend = survey.missing.filter(({ path }) => !survey.there.has(path))
  const total = toSend.reduce((sum, { size }) => sum + size, 0)
  let done = 0
  const sent = ({ size }: LocalFile): void => {
    tally.files++
    tally.bytes += size
    report.progress((done += size), total)
  }
  const send = async (file: LocalFile): Promise<void> => {
    survey.there.set(file.path, await sendFile(remote, source.directory, directory, file))
  }
  const putInPlace = ({ path }: LocalFile): Promise<void> =>
    remote.rename(`${directory}/${temporaryFor(path)}`, `${directory}/${path}`)
  const ofStage = (stage: Stage): LocalFile[] => toSend.filter((file) => file.stage === stage)
  for (const stage of ['package', 'signature'] as const) {
    await sideBySide(ofStage(stage), async (file) => {
      await send(file)
      await putInPlace(file)
      sent(file)
    })
  }
  const index = ofStage('index')
  await sideBySide(index, send)
  // in a row, without waiting for answers: a database is without its signature for no longer than the host needs
  const removeStale = (path: string): Promise<void> => remote.removeFile(`${directory}/${path}`)
  await Promise.all([...index.map(putInPlace), ...survey.departed.filter(isStale(source)).map(removeStale)])
  index.forEach(sent)
}

/** @returns what the manifest is to say in the end */
async function removeDeparted(
  { remote, directory, source, graceSeconds, tally }: Fill,
  survey: Survey,
): Promise<Manifest> {
  const { there, departed, manifest } = survey
  const result: Manifest = { files: new Map(there), sending: new Map(), leaving: new Map(), left: undefined }
  for (const path of departed) {
    const since = manifest.leaving.get(path) ?? new Date(now()).toISOString()
    if (isStale(source)(path) || now() - Date.parse(since) >= graceSeconds * 1000) {
      await remote.removeFile(`${directory}/${path}`)
      tally.removed++
      continue
    }
    result.leaving.set(path, since)
    const [file, sent] = [manifest.files.get(path), manifest.sending.get(path)]
    if (file !== undefined) result.files.set(path, file)
    else if (sent !== undefined) result.sending.set(path, sent)
  }
  return result
}

/** The signature of what is not signed any more: clients would hold it against the new database, or ask for its key. */
function isStale({ files }: Source): (path: string) => boolean {
  const signatures = new Set(files.map(({ path }) => `${path}.sig`))
  return (path) => signatures.has(path)
}
