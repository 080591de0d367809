import { dirname, join } from 'node:path'
import type { PackBase } from '../artifact/pack.js'
import { fetchManifest } from '../artifact/source.js'
import type { ArtifactSource, Item } from '../artifact/source.js'
import { unpackPack } from '../artifact/unpack.js'
import { INDEX, readIndex, writeIndex } from '../gentoo/package-directory.js'
import { packagesPack } from '../model/build.js'
import type { Build } from '../model/build.js'
import { TreeswapError } from '../model/errors.js'
import { groupBy } from '../model/group-by.js'
import type { FileEntry, Manifest } from '../model/manifest.js'
import type { Context } from '../model/report.js'
import { isDirectory, makeDirectory, makeTemporaryDirectory, removeTree, rename, statusOf } from '../system/files.js'
import { sha256OfFile } from '../system/hash.js'
import { isDamage } from './damaged-base.js'
import type { DamagedBase } from './damaged-base.js'

/** The last successful build of a machine: what is unchanged since is named instead of packed again. */
export interface BaseBuild extends PackBase {
  source: ArtifactSource
  item: Item
  build: Build
  originExists: (number: number) => Promise<boolean>
}

/** A package file that cannot be had any more: the build that has it, and why. */
export interface LostFile {
  number: number
  error: TreeswapError
}

/**
 * The latest build of a tree in a source; undefined where there is none.
 * @param damage what to do where that build is damaged; default: what the source and the reader throw
 */
export async function latestBase(
  source: ArtifactSource,
  tree: string,
  damage?: DamagedBase,
): Promise<BaseBuild | undefined> {
  const item: Item = { kind: 'tree', name: tree }
  const number = (await source.numbers(item)).at(-1)
  if (number === undefined) return undefined
  const readBuild = () => source.readBuild(item, number)
  const { build } = await (damage?.required(`the record of ${tree}@${number}`, readBuild) ?? readBuild())
  const readEntries = () => entriesOf(source, item, build)
  const listed = `the list of packages of ${tree}@${number}`
  const manifest = await (damage?.orElse(listed, readEntries, () => ({ entries: [] })) ?? readEntries())
  const originExists = (origin: number) => canBeRead(source, item, origin)
  return { source, item, build, number, manifest, originExists }
}

/**
 * The base of build `number`, whose packages may be named only while whoever fetches that build will find them, too.
 * Where the source keeps the newest builds, failed ones counted, half of them are left to come after it.
 */
export function lastingBase(base: BaseBuild, number: number): BaseBuild {
  const { source, originExists } = base
  const oldest = source.keeps === undefined ? 0 : number - Math.floor((source.keeps - 1) / 2)
  return { ...base, originExists: async (origin) => origin >= oldest && (await originExists(origin)) }
}

/** What a build lists as its packages, those of earlier builds among them. @throws what fetchManifest throws */
export async function entriesOf(source: ArtifactSource, item: Item, build: Build): Promise<Manifest> {
  const pack = packagesPack(build)
  return pack === undefined ? { entries: [] } : await fetchManifest(source, item, build.number, pack)
}

/** Whether a build can still be fetched; where its source cannot be asked, that is an error. */
async function canBeRead(source: ArtifactSource, item: Item, number: number): Promise<boolean> {
  try {
    await source.readBuild(item, number)
    return true
  } catch (error) {
    if (error instanceof TreeswapError && error.category === 'configuration') return false
    throw error
  }
}

/** The base build and those that it names, one after the other, as far as they can be read. */
export async function* chainOf({ source, item, build }: BaseBuild): AsyncGenerator<Build> {
  let at: Build | undefined = build
  for (let depth = 0; at !== undefined && depth < 1000; depth++) {
    yield at
    const before: number | undefined = at.base
    if (before === undefined) return
    at = await source.readBuild(item, before).then(
      (found) => found.build,
      () => undefined,
    )
  }
}

/** How many builds in a row name packages of earlier ones, counting back from `base`; one that is gone counts. */
export async function chainLength(base: BaseBuild): Promise<number> {
  let length = 1
  for await (const build of chainOf(base)) if (build.base !== undefined) length++
  return length
}

/**
 * Puts binary packages that the base build has and `directory` lacks (a lost agent, another host, a crash) back in
 * place, so that nothing is compiled twice and build ids go on rising.
 */
export async function restorePackages(
  base: BaseBuild,
  directory: string,
  work: string,
  context: Context,
): Promise<void> {
  const missing = missingFiles(base, directory).filter(({ path }) => path !== INDEX)
  if (missing.length === 0) return
  const temporary = makeTemporaryDirectory(join(work, 'restore-'))
  try {
    await restoreInto(base, missing, temporary, directory, context)
    const own = join(temporary, String(base.number))
    if (!isDirectory(own)) await fetchInto(base, base.number, own, context)
    const { header, stanzas } = readIndex(own)
    writeIndex(directory, header, [...stanzas, ...readIndex(directory).stanzas])
  } catch (error) {
    if (!(error instanceof TreeswapError) || error.category === 'aborted') throw error
    context.report.warn(`${error.message}: what is missing will be compiled again`)
  } finally {
    removeTree(temporary)
  }
}

/**
 * Puts package files in place that the base build has and `directory` lacks, or has with another content: what comes of
 * the next build is packed from there, and clients know each file by its name.
 * @returns those that cannot be had, because what should have them is damaged, by path
 * @throws what a source throws that does not answer
 */
export async function restoreFiles(
  base: BaseBuild,
  directory: string,
  work: string,
  context: Context,
): Promise<Map<string, LostFile>> {
  const lost = new Map<string, LostFile>()
  const missing = new Set(missingFiles(base, directory))
  for (const entry of base.manifest.entries) {
    if (entry.type !== 'file' || missing.has(entry)) continue
    if ((await sha256OfFile(join(directory, entry.path))) !== entry.sha256) missing.add(entry)
  }
  if (missing.size === 0) return lost
  const temporary = makeTemporaryDirectory(join(work, 'restore-'))
  try {
    for (const [number, entries] of byOrigin(base, missing)) {
      try {
        await restoreFrom(base, number, entries, join(temporary, String(number)), directory, context)
      } catch (error) {
        if (!isDamage(error)) throw error
        for (const { path } of entries) lost.set(path, { number, error })
      }
    }
  } finally {
    removeTree(temporary)
  }
  return lost
}

function byOrigin(base: BaseBuild, entries: Iterable<FileEntry>): Map<number, FileEntry[]> {
  return groupBy(entries, (entry) => entry.origin ?? base.number)
}

function missingFiles({ manifest }: BaseBuild, directory: string): FileEntry[] {
  return manifest.entries.filter(
    (entry): entry is FileEntry => entry.type === 'file' && statusOf(join(directory, entry.path))?.size !== entry.size,
  )
}

async function restoreInto(
  base: BaseBuild,
  missing: readonly FileEntry[],
  temporary: string,
  directory: string,
  context: Context,
): Promise<void> {
  for (const [number, entries] of byOrigin(base, missing)) {
    await restoreFrom(base, number, entries, join(temporary, String(number)), directory, context)
  }
}

async function restoreFrom(
  base: BaseBuild,
  number: number,
  entries: readonly FileEntry[],
  unpacked: string,
  directory: string,
  context: Context,
): Promise<void> {
  context.report.step(`fetching ${entries.length} binary packages of ${base.item.name}@${number}`)
  await fetchInto(base, number, unpacked, context)
  for (const { path } of entries) {
    makeDirectory(dirname(join(directory, path)))
    rename(join(unpacked, path), join(directory, path))
  }
}

async function fetchInto({ source, item }: BaseBuild, number: number, to: string, context: Context): Promise<void> {
  const { build } = await source.readBuild(item, number)
  const pack = packagesPack(build)
  if (pack === undefined) return
  const manifest = await fetchManifest(source, item, number, pack)
  await unpackPack(pack, manifest, await source.open(item, number, pack.file), to, context)
}
