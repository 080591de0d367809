import * as z from 'zod'
import { configurationError } from './errors.js'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const fileName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}$/)
const number = z.int().positive()

/** What a pack holds: the role decides where its content goes in a published tree. */
const role = z.enum(['ebuild-repo', 'etc-portage', 'var-lib-portage', 'packages'])

const pack = z.strictObject({
  /** ebuild repo's name, or the role itself */
  name: fileName,
  role,
  /** `NAME.tar` or `NAME.tar.zst` beside build.json */
  file: fileName,
  size: z.int().nonnegative(),
  sha256,
  manifest: z.strictObject({ file: fileName, size: z.int().nonnegative(), sha256 }),
})

const input = z.strictObject({
  /** ebuild repo's name, or `profile` */
  name: z.string(),
  /** git URL without credentials */
  url: z.string().optional(),
  commit: z.string().optional(),
  /** seconds since 1970 of the commit, UTC */
  commitTime: z.int().optional(),
  /** of the ebuild repo's artifact */
  number: number.optional(),
  /** digest of whatever else decides whether a build has to be repeated */
  fingerprint: z.string().optional(),
})

const schema = z.strictObject({
  schema: z.literal(1),
  kind: z.enum(['ebuild-repo', 'machine']),
  /** tree's name, or the ebuild repo's */
  name: z.string(),
  number,
  /** ISO 8601, UTC */
  started: z.iso.datetime(),
  finished: z.iso.datetime(),
  /** the build whose packages this one may name instead of carrying them */
  base: number.optional(),
  inputs: z.array(input),
  /** program → version */
  tools: z.record(z.string(), z.string()),
  packs: z.array(pack).min(1),
  /** file name of the compressed log beside build.json */
  log: fileName.optional(),
})

/** `build.json`: one numbered, successful result; immutable. */
export type Build = z.infer<typeof schema>
export type Pack = z.infer<typeof pack>
export type Role = z.infer<typeof role>
export type Input = z.infer<typeof input>

export const BUILD_FILE = 'build.json'

/**
 * @param source named in errors
 * @throws BUILD_INVALID, BUILD_TOO_NEW
 */
export function parseBuild(text: string, source: string): Build {
  const data = parseJson(text, source)
  const version = typeof data === 'object' && data !== null && 'schema' in data ? data.schema : undefined
  if (typeof version === 'number' && version > 1) {
    throw configurationError(
      'BUILD_TOO_NEW',
      `${source} was written by a newer treeswap (schema ${version}; this one reads 1)`,
      'upgrade treeswap on this host',
    )
  }
  const result = schema.safeParse(data)
  if (result.success) return result.data
  throw notABuild(source, z.prettifyError(result.error))
}

export function encodeBuild(build: Build): string {
  return JSON.stringify(build, undefined, 2) + '\n'
}

function parseJson(text: string, source: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw notABuild(source, 'it is not JSON', cause)
  }
}

function notABuild(source: string, why: string, cause?: unknown): Error {
  return configurationError(
    'BUILD_INVALID',
    `${source} is no build record: ${why}`,
    'name the directory of an artifact, as `treeswap build` or `treeswap pack` wrote it',
    cause,
  )
}
