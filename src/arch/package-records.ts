import { join } from 'node:path'
import { publishError, TreeswapError } from '../model/errors.js'
import { sha256Of } from '../model/object-key.js'
import { packageFileName, parseFileName } from '../model/pacman-package.js'
import type { PackageRecord } from '../model/pacman-package.js'
import type { Context } from '../model/report.js'
import type { Store } from '../store/layout.js'
import { breathe } from '../system/clock.js'
import { exists } from '../system/files.js'
import { aborted } from '../system/process.js'
import type { PackageFile } from './assemble.js'
import type { DatabaseEntry } from './database.js'
import { readPackageFile } from './package-file.js'
import { cachedRecord } from './record-cache.js'

/**
 * What databases say of package files. Each content is read once; what was read lies in `cache/packages/` and may be
 * removed at any time.
 * @param architecture of the repo
 * @param source what they belong to, for errors
 * @throws PACKAGE_MISNAMED, PACKAGE_ARCHITECTURE, PACKAGE_INVALID, OBJECT_MISSING, ABORTED
 */
export async function packageEntries(
  store: Store,
  packages: readonly PackageFile[],
  { architecture, source }: { architecture: string; source: string },
  context: Context,
): Promise<DatabaseEntry[]> {
  const entries: DatabaseEntry[] = []
  const cache = join(store.root, 'cache/packages')
  for (const [index, { file, key, size }] of packages.entries()) {
    if (index % 500 === 0) await breathe()
    if (context.signal.aborted) throw aborted('reading packages')
    context.report.progress(index, packages.length)
    const digest = sha256Of(key)
    const record = await cachedRecord(cache, digest, () => read(store, { file, key, size }, source, context))
    checkRecord(record, file, architecture, source)
    entries.push({ record, file, size, sha256: digest })
  }
  return entries
}

async function read(
  store: Store,
  { file, key }: PackageFile,
  source: string,
  context: Context,
): Promise<PackageRecord> {
  if (!exists(store.object(key))) {
    throw publishError(
      'OBJECT_MISSING',
      `the store lacks the content of ${file} of ${source} (object ${key})`,
      `pull ${source} again: it brings what is missing; \`treeswap check\` finds whatever else was lost`,
    )
  }
  try {
    return await readPackageFile(store.object(key), context)
  } catch (error) {
    if (!(error instanceof TreeswapError) || error.code !== 'PACKAGE_INVALID') throw error
    throw publishError(error.code, `${file} of ${source}: ${error.message}`, error.hint, error)
  }
}

function checkRecord({ info }: PackageRecord, file: string, architecture: string, source: string): void {
  const compression = parseFileName(file)?.compression
  const rightName = packageFileName(info, compression)
  if (file !== rightName) {
    throw publishError(
      'PACKAGE_MISNAMED',
      `${file} of ${source} is, by its .PKGINFO, ${rightName}`,
      'pacman and people would take it for another package, so it is not published: see what renamed it, then build again',
    )
  }
  if (info.architecture === architecture || info.architecture === 'any') return
  throw publishError(
    'PACKAGE_ARCHITECTURE',
    `${file} of ${source} is for ${info.architecture}, in a repo for ${architecture}`,
    `no client could install it, so it is not published: set its arch to ${architecture} or any`,
  )
}
