import { join } from 'node:path'
import type { Build } from '../model/build.js'
import { TreeswapError } from '../model/errors.js'
import type { FileEntry } from '../model/manifest.js'
import { objectKey } from '../model/object-key.js'
import type { ObjectKey } from '../model/object-key.js'
import { formatReference } from '../model/reference.js'
import type { Context } from '../model/report.js'
import { breathe } from '../system/clock.js'
import { listDirectory, statusOf } from '../system/files.js'
import { aborted } from '../system/process.js'
import { listBuilds, listTrees, readManifestOf } from './builds.js'
import { checkDerived, objectsWithSums } from './check-derived.js'
import { checkRecord, checkStates, checkUnneededManifests, foreignRecords } from './check-records.js'
import { foreign, repairable } from './finding.js'
import type { Finding } from './finding.js'
import type { Store } from './layout.js'
import { isSoundObject, sumsOfSoundObject } from './objects.js'

/**
 * Re-hashes every object and reads every manifest, mapping and record.
 * @throws ABORTED
 */
export async function checkStore(store: Store, context: Context): Promise<Finding[]> {
  const objects = await checkObjects(store, context)
  const derived = await checkDerived(store, { ...objects, damaged: new Set(objects.damaged) }, context.signal)
  const isWanted = (entry: FileEntry): boolean => !objects.sound.has(keyOf(entry)) || derived.origins.has(entry.sha256)
  const { findings, users, needed } = await checkRecords(store, isWanted, context)
  const usersOf = (sha256: string): string[] => [false, true].flatMap((mode) => users(objectKey(sha256, mode)))
  const damaged = objects.damaged.map((key) =>
    derived.isDerived(key) && users(key).length === 0
      ? derived.damagedObject(key, usersOf)
      : repairable(store, 'damaged', store.object(key), users(key)),
  )
  return [
    ...damaged,
    ...derived.findings(usersOf),
    ...objects.foreign,
    ...findings,
    ...(await checkUnneededManifests(store, needed)),
    ...checkStates(store),
    ...foreignRecords(store),
  ]
}

interface Objects {
  sound: Set<ObjectKey>
  /** of the sound ones that mappings say them of */
  sums: Map<ObjectKey, Record<'md5' | 'sha1', string>>
  damaged: ObjectKey[]
  foreign: Finding[]
}

async function checkObjects(store: Store, { report, signal }: Context): Promise<Objects> {
  const result: Objects = { sound: new Set(), sums: new Map(), damaged: [], foreign: [] }
  report.step('reading every object')
  const withSums = objectsWithSums(store)
  const isSound = async (key: ObjectKey): Promise<boolean> => {
    if (!withSums.has(key)) return await isSoundObject(store.object(key), key)
    const sums = await sumsOfSoundObject(store.object(key), key, signal)
    if (sums !== undefined) result.sums.set(key, sums)
    return sums !== undefined
  }
  const prefixes = listDirectory(join(store.root, 'objects'))
  for (const [index, prefix] of prefixes.entries()) {
    report.progress(index, prefixes.length)
    const directory = join(store.root, 'objects', prefix.name)
    if (!/^[0-9a-f]{2}$/.test(prefix.name) || !prefix.isDirectory()) {
      result.foreign.push(foreign(store, directory))
      continue
    }
    for (const { name } of listDirectory(directory)) {
      const isKey = /^[0-9a-f]{64}x?$/.test(name) && name.startsWith(prefix.name)
      if (!isKey) result.foreign.push(foreign(store, join(directory, name)))
      else if (await isSound(name)) result.sound.add(name)
      else result.damaged.push(name)
    }
    await breathe()
    if (signal.aborted) throw aborted('the check')
  }
  return result
}

interface Records {
  findings: Finding[]
  /** references of the builds that need an object, of those that are looked for */
  users: (key: ObjectKey) => string[]
  /** digests of all manifests that builds have */
  needed: ReadonlySet<string>
}

/** @param isWanted whether it matters which builds need an object: that is damaged or missing, or what was made from it is */
async function checkRecords(store: Store, isWanted: (entry: FileEntry) => boolean, context: Context): Promise<Records> {
  const findings: Finding[] = []
  const packs = new Map<string, { pack: Build['packs'][number]; builds: string[] }>()
  for (const [tree, number] of allBuilds(store)) {
    const reference = formatReference(tree, number)
    const { findings: own, build } = await checkRecord(store, tree, number)
    findings.push(...own)
    for (const pack of build?.packs ?? []) {
      const known = packs.get(pack.manifest.sha256)
      if (known === undefined) packs.set(pack.manifest.sha256, { pack, builds: [reference] })
      else known.builds.push(reference)
    }
  }
  const wanted = new Map<ObjectKey, Set<string>>()
  let done = 0
  for (const [digest, { pack, builds }] of packs) {
    context.report.progress(done++, packs.size)
    if (context.signal.aborted) throw aborted('the check')
    const path = store.manifest(digest)
    try {
      for (const entry of (await readManifestOf(store, pack)).entries) {
        if (entry.type === 'file' && isWanted(entry)) noteUsers(keyOf(entry), wanted, builds)
      }
    } catch (error) {
      if (!(error instanceof TreeswapError)) throw error
      findings.push(repairable(store, statusOf(path) === undefined ? 'missing' : 'damaged', path, builds))
    }
  }
  for (const [key, builds] of wanted) {
    if (statusOf(store.object(key)) === undefined) {
      findings.push(repairable(store, 'missing', store.object(key), [...builds]))
    }
  }
  return { findings, users: (key) => [...(wanted.get(key) ?? [])], needed: new Set(packs.keys()) }
}

function noteUsers(key: ObjectKey, wanted: Map<ObjectKey, Set<string>>, builds: readonly string[]): void {
  const users = wanted.get(key) ?? new Set()
  builds.forEach((build) => users.add(build))
  wanted.set(key, users)
}

function keyOf({ sha256, executable }: FileEntry): ObjectKey {
  return objectKey(sha256, executable)
}

function allBuilds(store: Store): [tree: string, number: number][] {
  return listTrees(store).flatMap((tree) => listBuilds(store, tree).map((number): [string, number] => [tree, number]))
}
