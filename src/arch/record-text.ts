import * as z from 'zod'
import { isArchitecture, isPackageName, isPackageVersion } from '../model/pacman-package.js'
import type { PackageRecord } from '../model/pacman-package.js'

/** To be raised whenever a record means something else: what was written before is then read from the packages again. */
const SCHEMA = 1

const texts = z.array(z.string())
const count = z.int().nonnegative()

const stored = z.strictObject({
  schema: z.literal(SCHEMA),
  info: z.strictObject({
    name: z.string().refine(isPackageName),
    base: z.string(),
    version: z.string().refine(isPackageVersion),
    description: z.string().exactOptional(),
    url: z.string().exactOptional(),
    architecture: z.string().refine(isArchitecture),
    packager: z.string().exactOptional(),
    buildDate: count,
    installedSize: count,
    groups: texts,
    licenses: texts,
    replaces: texts,
    conflicts: texts,
    provides: texts,
    depends: texts,
    optDepends: texts,
    makeDepends: texts,
    checkDepends: texts,
    type: z.string().exactOptional(),
  }),
  /** one path a line: ten thousand packages are read at every publish, and one long text is read faster than many short */
  files: z.string(),
  libraries: texts,
  needs: texts,
})

/** A record as text (JSON), to be kept beside the package that it was read from. */
export function encodeRecord({ info, files, libraries, needs }: PackageRecord): string {
  return JSON.stringify({ schema: SCHEMA, info, files: files.join('\n'), libraries, needs })
}

/** @returns undefined where it is no record as this treeswap writes them: read the package again */
export function decodeRecord(text: string): PackageRecord | undefined {
  const { data } = stored.safeParse(parse(text))
  if (data === undefined) return undefined
  const { info, files, libraries, needs } = data
  return { info, files: files === '' ? [] : files.split('\n'), libraries, needs }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
