import { join } from 'node:path'
import { BUILD_FILE } from '../model/build.js'
import type { Build } from '../model/build.js'
import { TreeswapError } from '../model/errors.js'
import { isName } from '../model/names.js'
import { formatReference } from '../model/reference.js'
import { listDirectory, statusOf } from '../system/files.js'
import { sha256OfFile } from '../system/hash.js'
import { isRecordAsPulled, logOf, readBuild, RECORD_DIGEST_FILE } from './builds.js'
import { foreign, repairable } from './finding.js'
import type { Finding } from './finding.js'
import type { Store } from './layout.js'
import { readState } from './state.js'

/** Reads a build's record and log, and looks at what lies beside them. */
export async function checkRecord(
  store: Store,
  tree: string,
  number: number,
): Promise<{ findings: Finding[]; build?: Build }> {
  const directory = store.build(tree, number)
  const reference = formatReference(tree, number)
  const damaged = repairable(store, 'damaged', directory, [reference])
  try {
    const build = readBuild(store, tree, number)
    const findings = isRecordAsPulled(store, tree, number) ? [] : [damaged]
    const names = new Set([BUILD_FILE, RECORD_DIGEST_FILE, build.log?.file])
    for (const { name } of listDirectory(directory)) {
      if (!names.has(name)) findings.push(foreign(store, join(directory, name)))
    }
    return { findings: [...findings, ...(await checkLog(store, build))], build }
  } catch (error) {
    if (!(error instanceof TreeswapError)) throw error
    return { findings: [damaged] }
  }
}

/** A log that is not there is no finding: a build is good without it. */
async function checkLog(store: Store, build: Build): Promise<Finding[]> {
  const path = logOf(store, build)
  const status = path === undefined ? undefined : statusOf(path)
  if (path === undefined || status === undefined) return []
  if (status.isFile() && status.size === build.log?.size && (await sha256OfFile(path)) === build.log.sha256) return []
  const finding = repairable(store, 'damaged', path, [formatReference(build.name, build.number)])
  return [{ ...finding, hint: 'remove it, or copy it from where the build was archived: the build is good without it' }]
}

/** Those that builds have are read; what a stopped pull or a removed build left must at least be what it is named. */
export async function checkUnneededManifests(store: Store, needed: ReadonlySet<string>): Promise<Finding[]> {
  const directory = join(store.root, 'manifests')
  const findings: Finding[] = []
  for (const entry of listDirectory(directory)) {
    const path = join(directory, entry.name)
    const digest = /^([0-9a-f]{64})\.zst$/.exec(entry.name)?.[1]
    if (digest === undefined) findings.push(foreign(store, path))
    else if (!needed.has(digest) && !(entry.isFile() && (await sha256OfFile(path)) === digest)) {
      findings.push(repairable(store, 'damaged', path, []))
    }
  }
  return findings
}

/** What a process that was killed while it wrote a state leaves; the next one removes it. */
const unfinishedState = /^.+\.json\.\d+\.tmp$/

export function checkStates(store: Store): Finding[] {
  const directory = join(store.root, 'trees')
  return listDirectory(directory).flatMap((entry) => {
    if (unfinishedState.test(entry.name)) return []
    const path = join(directory, entry.name)
    const tree = /^(.+)\.json$/.exec(entry.name)?.[1]
    if (tree === undefined || !isName('tree', tree) || !entry.isFile()) return [foreign(store, path)]
    try {
      readState(store, tree)
      return []
    } catch (error) {
      if (!(error instanceof TreeswapError)) throw error
      return [{ ...repairable(store, 'damaged', path, []), hint: error.hint }]
    }
  })
}

/** What lies among the records and is none. */
export function foreignRecords(store: Store): Finding[] {
  const builds = join(store.root, 'builds')
  return listDirectory(builds).flatMap((tree) =>
    tree.isDirectory() && isName('tree', tree.name)
      ? listDirectory(join(builds, tree.name))
          .filter((entry) => !entry.isDirectory() || !/^[1-9]\d*$/.test(entry.name))
          .map(({ name }) => foreign(store, join(builds, tree.name, name)))
      : [foreign(store, join(builds, tree.name))],
  )
}
