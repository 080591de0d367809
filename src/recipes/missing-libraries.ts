import { join } from 'node:path'
import * as z from 'zod'
import { lostLibraries } from '../arch/lost-libraries.js'
import type { ChangedPackage } from '../arch/lost-libraries.js'
import type { RootPackages } from '../arch/root-packages.js'
import type { RootService } from '../chroot/requests.js'
import type { PacmanConfig } from '../config/pacman.js'
import type { RecipeRecord, Recipes } from '../model/recipes.js'
import type { Context } from '../model/report.js'
import { makeDirectory, readTextIfThere, writeAtomically } from '../system/files.js'
import { sha256 } from '../system/hash.js'

/** The last answer, so that it is not asked for again while nothing changes. */
const answer = z.object({ question: z.string(), lost: z.array(z.string()) })

/**
 * Recipes whose packages need libraries that neither the root nor its repos have any more. Packages that are what they
 * were when a recipe was built with them still have what it needs; only where one has changed is the root looked into.
 * @param directory where the last answer is kept; the caller holds a lock on it
 * @returns pkgbase → sonames, sorted
 * @throws what lostLibraries throws
 */
export async function missingLibraries(
  { name, chroot }: Pick<PacmanConfig, 'name' | 'chroot'>,
  before: Recipes | undefined,
  root: RootPackages,
  directory: string,
  service: RootService,
  context: Context,
): Promise<Map<string, string[]>> {
  const changed = changedPackages(before, root)
  if (changed.length === 0) return new Map()
  const question = sha256(JSON.stringify([chroot, [...root.installed], changed, changed.map(versionNow)]))
  const file = join(directory, `${name}.json`)
  const lost = readAnswer(file, question) ?? (await ask())
  return missingOf(before, root, lost)

  function versionNow({ name: one }: ChangedPackage): string | null {
    return root.available.get(one) ?? null
  }

  async function ask(): Promise<ReadonlySet<string>> {
    const found = await lostLibraries(changed, chroot, service, context)
    for (const one of found.unknown) {
      context.report.warn(
        `${one} has changed, and could not be installed: whether it still has its libraries is unknown`,
      )
    }
    if (found.unknown.length > 0) return found.lost
    makeDirectory(directory)
    writeAtomically(file, JSON.stringify({ question, lost: [...found.lost].sort() }))
    return found.lost
  }
}

function changedPackages(before: Recipes | undefined, root: RootPackages): ChangedPackage[] {
  const needed = new Map<string, Set<string>>()
  for (const record of before?.recipes.values() ?? []) {
    for (const { name, libraries } of changedFor(record, root)) {
      needed.set(name, new Set([...(needed.get(name) ?? []), ...libraries]))
    }
  }
  return [...needed]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, libraries]) => ({
      name,
      installed: root.installed.has(name),
      available: root.available.has(name),
      libraries: [...libraries].sort(),
    }))
}

/** What a recipe was built with that has another version now, or is gone. */
function changedFor({ outside }: RecipeRecord, { installed, available }: RootPackages) {
  return [...(outside ?? [])]
    .filter(([name, { version }]) => (installed.get(name) ?? available.get(name)) !== version)
    .map(([name, { libraries }]) => ({ name, libraries }))
}

function missingOf(before: Recipes | undefined, root: RootPackages, lost: ReadonlySet<string>): Map<string, string[]> {
  const missing = new Map<string, string[]>()
  for (const [base, record] of before?.recipes ?? []) {
    const needed = changedFor(record, root).flatMap(({ libraries }) => libraries)
    const names = needed.filter((soname) => lost.has(soname)).map((soname) => soname.replace(/=\d+$/, ''))
    if (names.length > 0) missing.set(base, [...new Set(names)].sort())
  }
  return missing
}

function readAnswer(file: string, question: string): ReadonlySet<string> | undefined {
  const known = answer.safeParse(parsed(readTextIfThere(file))).data
  return known?.question === question ? new Set(known.lost) : undefined
}

function parsed(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null')
  } catch {
    return undefined
  }
}
