import { publishError } from '../model/errors.js'
import type { Context } from '../model/report.js'
import { fill } from './fill.js'
import type { Fill } from './fill.js'
import { hasLasted, pastOrNow } from './grace.js'
import { MANIFEST, readManifest, writeManifest } from './manifest.js'
import type { Manifest } from './manifest.js'
import { directoryOf, temporaryFor } from './paths.js'
import { remoteTree } from './remote-tree.js'
import type { Remote } from './remote.js'
import { isAsBrought } from './survey.js'

const GENERATIONS = '.generations'

export interface TreeUpload extends Omit<Fill, 'directory' | 'previous'> {
  /** absolute, on the host: holds the pointer, named as the tree, and the generations */
  top: string
  tree: string
  serial: number
}

/**
 * The layout for hosts that serve through symbolic links, as on the publisher: generations lie side by side, and one
 * link is renamed. A replaced generation stays for the grace time.
 * @throws UPLOAD_LAYOUT, UPLOAD_NO_LINKS, and what fill throws
 */
export async function fillAndPoint(upload: TreeUpload, context: Context): Promise<void> {
  const { remote, top, tree, serial } = upload
  const pointer = `${top}/${tree}`
  const current = await currentGeneration(remote, pointer, tree)
  const generations = `${top}/${GENERATIONS}`
  const name = `${tree}.${serial}`
  if ((await remote.targetStatus(generations)) === undefined) await remote.makeDirectory(generations)
  // before everything is sent for nothing
  if (current === undefined) await remote.removeFile(await linkBeside(remote, pointer, `${GENERATIONS}/${name}`))
  const others = await generationsOf(remote, generations, tree)
  // first, because that may make the room
  for (const other of others) {
    if (other !== current && other !== name) await removeReplaced(upload, `${generations}/${other}`, context)
  }
  const previous = current === undefined || current === name ? undefined : `${generations}/${current}`
  await fill({ ...upload, directory: `${generations}/${name}`, previous }, context)
  if (current === name) return
  await point(remote, pointer, `${GENERATIONS}/${name}`)
  if (current !== undefined && others.includes(current)) {
    await removeReplaced(upload, `${generations}/${current}`, context)
  }
}

/** The layout for every host: files are replaced one by one in one directory. @throws UPLOAD_LAYOUT, and what fill throws */
export async function fillInPlace(upload: TreeUpload, context: Context): Promise<void> {
  const { remote, top, tree } = upload
  const directory = `${top}/${tree}`
  const target = await remote.linkTarget(directory)
  if (target?.startsWith(`${GENERATIONS}/`)) throw layout(directory, 'a link to a generation', 'symlinks is false')
  await fill({ ...upload, directory }, context)
}

/** Name of the generation that the pointer leads to; undefined where there is no pointer yet. */
async function currentGeneration(remote: Remote, pointer: string, tree: string): Promise<string | undefined> {
  const status = await remote.status(pointer)
  if (status === undefined) return undefined
  const target = status.kind === 'symlink' ? await remote.linkTarget(pointer) : undefined
  const name = target?.startsWith(`${GENERATIONS}/`) ? target.slice(GENERATIONS.length + 1) : ''
  if (isGeneration(name, tree)) return name
  throw layout(pointer, status.kind === 'symlink' ? 'a link of somebody else' : `a ${status.kind}`, 'symlinks is true')
}

async function point(remote: Remote, pointer: string, target: string): Promise<void> {
  await remote.rename(await linkBeside(remote, pointer, target), pointer)
}

/** The name is always the same, so that one that was left behind is removed, with no look at what is not ours. */
async function linkBeside(remote: Remote, pointer: string, target: string): Promise<string> {
  const temporary = temporaryFor(pointer, 'pointer')
  await remote.removeFile(temporary)
  await remote.symlink(target, temporary)
  // servers disagree on the order of its two arguments
  const made = await remote.linkTarget(temporary)
  if (made !== target) throw layout(temporary, 'not the link that was asked for', 'symlinks is true')
  return temporary
}

async function generationsOf(remote: Remote, generations: string, tree: string): Promise<string[]> {
  const there = [...(await remote.list(generations))]
  return there.flatMap(([name, { kind }]) => (kind === 'directory' && isGeneration(name, tree) ? [name] : []))
}

/** Removes a generation that no pointer leads to, when that was so for the grace time. */
async function removeReplaced(
  { remote, graceSeconds, tally }: TreeUpload,
  directory: string,
  { report }: Context,
): Promise<void> {
  const manifest = await readManifest(remote, directory, report)
  const left = pastOrNow(manifest.left)
  if (!hasLasted(left, graceSeconds)) {
    if (manifest.left !== left) await writeManifest(remote, directory, { ...manifest, left })
    return
  }
  const removed = await removeGeneration(remote, directory, manifest)
  if (removed) tally.removed++
  else report.warn(`${directory} holds files that were not uploaded: it stays there`)
}

/** @returns false where foreign files are in it */
async function removeGeneration(remote: Remote, directory: string, manifest: Manifest): Promise<boolean> {
  const paths = [...new Set([...manifest.files.keys(), ...manifest.sending.keys()])]
  const { entries, leftovers } = await remoteTree(remote, directory, paths)
  const ours = paths.filter((path) => isAsBrought(path, manifest, entries.get(path)))
  for (const path of [...ours, ...leftovers]) await remote.removeFile(`${directory}/${path}`)
  const inside = new Set<string>()
  for (const path of paths) for (let at = directoryOf(path); at !== ''; at = directoryOf(at)) inside.add(at)
  for (const path of [...inside].sort().reverse()) await remote.removeDirectory(`${directory}/${path}`)
  const rest = [...(await remote.list(directory)).keys()]
  if (rest.some((name) => name !== MANIFEST)) return false
  await remote.removeFile(`${directory}/${MANIFEST}`)
  return await remote.removeDirectory(directory)
}

/** `TREE.12`: the names come from outside */
function isGeneration(name: string, tree: string): boolean {
  return name.startsWith(`${tree}.`) && /^[1-9]\d{0,15}$/.test(name.slice(tree.length + 1))
}

function layout(path: string, found: string, but: string): Error {
  return publishError(
    'UPLOAD_LAYOUT',
    `${path} is ${found} there, but ${but} for this host`,
    'change symlinks back, or move it away there once: the next upload then sends everything again',
  )
}
