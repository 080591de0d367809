import * as z from 'zod'
import { configurationError } from './errors.js'
import { isName } from './names.js'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const fileName = z.string().regex(/^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,99}$/)
const number = z.int().positive()
/** the last second that ISO 8601 can name with four digits of a year */
const YEAR_9999 = 253_402_300_799

/** What a pack holds: the role decides where its content goes in a published tree. */
const role = z.enum(['ebuild-repo', 'etc-portage', 'var-lib-portage', 'recipes', 'packages'])

/** bytes; a manifest of 500,000 entries has a fifth of it */
const MAX_MANIFEST = 2 ** 27
const size = z.int().nonnegative()

/** a file beside build.json */
const file = z.strictObject({ file: fileName, size, sha256 })

const pack = z.strictObject({
  /** ebuild repo's name, or the role itself */
  name: fileName,
  role,
  /** `NAME.tar` or `NAME.tar.zst` */
  ...file.shape,
  manifest: file.extend({ size: size.max(MAX_MANIFEST) }),
})

const input = z.strictObject({
  /** ebuild repo's name, `machine:profile` or `machine:options`; URL of a source of recipes */
  name: z.string(),
  /** git URL without credentials */
  url: z.string().optional(),
  commit: z.string().optional(),
  /** seconds since 1970 of the commit, UTC */
  commitTime: z.int().nonnegative().max(YEAR_9999).optional(),
  /** of the ebuild repo's artifact */
  number: number.optional(),
  /** digest of whatever else decides whether a build has to be repeated */
  fingerprint: z.string().optional(),
})

const fields = z.strictObject({
  schema: z.literal(1),
  kind: z.enum(['ebuild-repo', 'machine', 'pacman-repo']),
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
  /** the compressed log */
  log: file.optional(),
})

const schema = fields.superRefine((build, context) => {
  for (const message of contradictions(build)) context.addIssue({ code: 'custom', message })
})

/** `build.json`: one numbered, successful result; immutable. */
export type Build = z.infer<typeof fields>
export type FileRecord = z.infer<typeof file>
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

/** What it is a build of, as sources of artifacts keep it: trees have one name space. */
export function itemKind({ kind }: Pick<Build, 'kind'>): 'tree' | 'ebuild-repo' {
  return kind === 'ebuild-repo' ? kind : 'tree'
}

/** The pack of binary packages, if the build has any. */
export function packagesPack({ packs }: Build): Pack | undefined {
  return packs.find((pack) => pack.role === 'packages')
}

/** What no single field shows: readers rely on each of it. */
function contradictions(build: Build): string[] {
  return [...wrongNames(build), ...wrongPacks(build), ...wrongFiles(build), ...wrongText(build)]
}

function wrongNames({ kind, name, number, base }: Build): string[] {
  const wrong: string[] = []
  if (!isName(kind === 'ebuild-repo' ? 'ebuild repo' : 'tree', name)) wrong.push(`${kind} cannot have this name`)
  if (base !== undefined && base >= number) wrong.push('its base is no earlier build')
  return wrong
}

function wrongPacks({ kind, name, packs }: Build): string[] {
  const wrong = packs.filter((pack) => !isNamedByRole(pack)).map((pack) => `a pack of ${pack.role} has another name`)
  if (repeats(packs.map((pack) => pack.name))) wrong.push('two packs have one name')
  const [first] = packs
  if (kind === 'ebuild-repo' && !(packs.length === 1 && first?.role === 'ebuild-repo' && first.name === name)) {
    wrong.push('an ebuild repo has exactly one pack, which has its name')
  }
  if (kind === 'machine' && packs.some((pack) => pack.role === 'recipes')) wrong.push('a machine has no recipes')
  if (
    kind === 'pacman-repo' &&
    packs
      .map((pack) => pack.role)
      .sort()
      .join() !== 'packages,recipes'
  ) {
    wrong.push('a pacman repo has exactly the packs packages and recipes')
  }
  return wrong
}

/** So a name says where in a tree a pack belongs, and no two packs belong to one place. */
function isNamedByRole({ name, role: own }: Pack): boolean {
  if (own !== 'ebuild-repo') return name === own
  return isName('ebuild repo', name) && !role.safeParse(name).success
}

function wrongFiles({ packs, log }: Build): string[] {
  const files = packs.flatMap((pack) => [pack.file, pack.manifest.file])
  return repeats([BUILD_FILE, ...files, ...(log === undefined ? [] : [log.file])])
    ? ['one file name stands for two files']
    : []
}

/** Names and versions are printed: what moves a terminal's cursor is not for them. */
function wrongText(build: Build): string[] {
  return /\p{Cc}/u.test(textsOf(build).join('')) ? ['there is a control character in it'] : []
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, part]) => [key, ...textsOf(part)])
}

function repeats(names: readonly string[]): boolean {
  return new Set(names).size < names.length
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
