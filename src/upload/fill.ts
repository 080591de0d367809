import { isDeepStrictEqual } from 'node:util'
import type { Context } from '../model/report.js'
import { hasLasted, pastOrNow } from './grace.js'
import type { LocalFile, Stage } from './local-files.js'
import { isOwnManifest, writeManifest } from './manifest.js'
import type { Manifest } from './manifest.js'
import { temporaryFor } from './paths.js'
import { disturbed } from './remote-errors.js'
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
 * there, all that it names is there, too. Packages go first, then their signatures, then databases. What has left the
 * tree is removed when the grace time is over, and only what uploads brought.
 * @throws UPLOAD_PATH_TAKEN, UPLOAD_NO_LINKS, UPLOAD_NOT_ATOMIC, UPLOAD_DISTURBED, and what Remote throws
 */
export async function fill(upload: Fill, context: Context): Promise<void> {
  const { remote, directory, source } = upload
  const found = await surveyOf(remote, directory, source, context.report)
  for (const path of found.tree.leftovers) await remote.removeFile(`${directory}/${path}`)
  const survey = await removeExpired(upload, found)
  if (survey.missing.length > 0) {
    const [within, itself] = partition(survey.tree.missing, (path) => path === directory)
    for (const path of itself) await remote.makeDirectory(path)
    // before anything is in it that would not be known as ours
    await writeManifest(remote, directory, announced(survey))
    for (const path of within) await remote.makeDirectory(path)
    await linkPrevious(upload, survey, context)
    await sendMissing(upload, survey, context)
  }
  const manifest = await removeDeparted(upload, survey)
  if (survey.missing.length > 0 || !isDeepStrictEqual(manifest, survey.manifest)) {
    await writeManifest(remote, directory, manifest)
  }
}

/** Says what is going to be brought, so that it is known to be ours whatever happens now. */
function announced({ manifest, missing, there }: Survey): Manifest {
  const [sending, leaving] = [new Map(manifest.sending), new Map(manifest.leaving)]
  for (const { path, size, mtime } of missing) sending.set(path, { size, mtime })
  // what comes back is in use again from now on, also where nothing else gets to be written
  for (const path of [...there.keys(), ...missing.map(({ path }) => path)]) leaving.delete(path)
  return { ...manifest, sending, leaving }
}

/** What left long ago: no database that is there names it. It goes before anything comes, because it may make the room. */
async function removeExpired({ remote, directory, graceSeconds, tally }: Fill, survey: Survey): Promise<Survey> {
  const { leaving } = survey.manifest
  const [departed, expired] = partition(survey.departed, (path) => {
    const since = leaving.get(path)
    return since !== undefined && hasLasted(since, graceSeconds)
  })
  for (const path of expired) {
    await remote.removeFile(`${directory}/${path}`)
    tally.removed++
  }
  return { ...survey, departed }
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
    remote.rename(`${directory}/${temporaryFor(path, remote.run)}`, `${directory}/${path}`)
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
  if (!(await isOwnManifest(remote, directory))) throw disturbed(directory)
  // in a row, without waiting for answers: a database is without its signature for no longer than the host needs
  const removeStale = (path: string): Promise<void> => remote.removeFile(`${directory}/${path}`)
  await Promise.all([...index.map(putInPlace), ...survey.departed.filter(staleIn(source)).map(removeStale)])
  index.forEach(sent)
}

/** @returns what the manifest is to say in the end */
async function removeDeparted(
  { remote, directory, source, graceSeconds, tally }: Fill,
  survey: Survey,
): Promise<Manifest> {
  const { there, departed, manifest } = survey
  const result: Manifest = { files: new Map(there), sending: new Map(), leaving: new Map(), left: undefined }
  const isStale = staleIn(source)
  for (const path of departed) {
    const since = pastOrNow(manifest.leaving.get(path))
    if (isStale(path) || hasLasted(since, graceSeconds)) {
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
function staleIn({ files }: Source): (path: string) => boolean {
  const signatures = new Set(files.map(({ path }) => `${path}.sig`))
  return (path) => signatures.has(path)
}

/** @returns what the question is denied for, and what it is affirmed for */
function partition<T>(items: readonly T[], isSecond: (item: T) => boolean): [T[], T[]] {
  return [items.filter((item) => !isSecond(item)), items.filter(isSecond)]
}
