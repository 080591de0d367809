import { join } from 'node:path'
import { openSource } from '../agent/sources.js'
import type { JenkinsSection } from '../agent/sources.js'
import type { PackPlace } from '../artifact/copy-pack.js'
import { chooseNumber, fetchManifest } from '../artifact/source.js'
import type { ArtifactSource, Item } from '../artifact/source.js'
import { unpackPack } from '../artifact/unpack.js'
import type { RepoDirectory } from '../gentoo/repositories.js'
import type { Build } from '../model/build.js'
import { configurationError, infrastructureError } from '../model/errors.js'
import { validName } from '../model/names.js'
import type { Context } from '../model/report.js'
import { now } from '../system/clock.js'
import { isDirectory, listDirectory, makeDirectory, removeTree, rename, setTimes, statusOf } from '../system/files.js'
import { withLock } from '../system/lock.js'

/** An ebuild repo's snapshot in a source. */
export interface ChosenSnapshot {
  name: string
  build: Build
  place: PackPlace
}

/**
 * Reads `NAME=SOURCE[@N]`, as --repo and --master take it.
 * @throws USAGE, BUILD_MISSING, and what openSource throws
 */
export async function chooseSnapshot(
  argument: string,
  config?: JenkinsSection,
  context?: Context,
): Promise<ChosenSnapshot> {
  const match = /^([^=]+)=(.+?)(?:@([1-9][0-9]{0,9}))?$/.exec(argument)
  if (match === null) {
    throw configurationError(
      'USAGE',
      `${argument} names no ebuild repo snapshot`,
      'write NAME=SOURCE or NAME=SOURCE@N, for example gentoo=dir:/srv/artifacts@12 or gentoo=jenkins:treeswap/repos/gentoo',
    )
  }
  const [, name = '', source = '', number] = match
  return snapshotOf(openSource(source, config, { context }), name, number === undefined ? undefined : Number(number))
}

/** A snapshot of an ebuild repo: number N, or the latest. @throws BUILD_MISSING, BUILD_INVALID */
export async function snapshotOf(source: ArtifactSource, name: string, number?: number): Promise<ChosenSnapshot> {
  const item: Item = { kind: 'ebuild-repo', name: validName('ebuild repo', name) }
  const chosen = await chooseNumber(source, item, number)
  const { build } = await source.readBuild(item, chosen)
  const [pack] = build.packs
  if (pack === undefined) {
    throw infrastructureError(
      'BUILD_INVALID',
      `${name}@${chosen} in ${source.description} has no pack`,
      'snapshot it again',
    )
  }
  return { name, build, place: { source, item, number: chosen, pack } }
}

/**
 * Unpacks a snapshot where it is not unpacked yet. Directories are named by content and never changed; those that
 * nobody asked for in three days are removed.
 */
export async function unpackSnapshot(
  { name, place }: ChosenSnapshot,
  directory: string,
  locks: string,
  context: Context,
): Promise<RepoDirectory> {
  const { source, item, number, pack } = place
  const target = join(directory, name, pack.sha256)
  const lock = join(locks, `snapshot-${name}.lock`)
  const { signal } = context
  await withLock(lock, { what: `the unpacked ${name}`, wait: 600, signal }, async () => {
    if (isDirectory(target)) {
      forgetOld(join(directory, name), target)
      return
    }
    context.report.step(`unpacking ${name}@${number}`)
    const partial = `${target}.partial`
    removeTree(partial)
    makeDirectory(join(directory, name))
    const manifest = await fetchManifest(source, item, number, pack)
    await unpackPack(pack, manifest, await source.open(item, number, pack.file), partial, context)
    rename(partial, target)
    forgetOld(join(directory, name), target)
  })
  return { name, directory: target }
}

/** A build may run this long before the directory it reads is taken for forgotten, in milliseconds. */
const FORGOTTEN = 3 * 24 * 3600 * 1000

function forgetOld(directory: string, used: string): void {
  const time = now()
  setTimes(used, time / 1000, time / 1000)
  for (const { name } of listDirectory(directory)) {
    const path = join(directory, name)
    if (time - (statusOf(path)?.mtimeMs ?? time) > FORGOTTEN) removeTree(path)
  }
}
