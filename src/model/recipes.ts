import * as z from 'zod'
import { configurationError } from './errors.js'
import { isArchitecture, isPackageName, isPackageVersion, parseFileName } from './pacman-package.js'

const packageName = z.string().refine(isPackageName, 'is no name of a package')
const packageVersion = z.string().refine(isPackageVersion, 'is no version of a package')
const text = z.string().regex(/^\P{Cc}*$/u, 'holds a control character')
const oneLine = text.min(1).max(4000)
const hex = z.string().regex(/^[0-9a-f]{40,128}$/, 'is no digest')

const madePackage = z.strictObject({ name: packageName, file: z.string(), version: packageVersion }).refine(
  ({ name, file, version }) => {
    const parsed = parseFileName(file)
    return parsed?.name === name && parsed.version === version
  },
  { error: 'its file is named otherwise' },
)

/** A package from outside of this tree, and the sonames that were needed of it. */
const outsidePackage = z.strictObject({ version: text, libraries: z.array(oneLine) })

/** Where a recipe stands after a build: but for `built`, its packages are those of the base build. */
const status = z.enum(['built', 'kept', 'failed', 'skipped', 'held'])

const recipe = z
  .strictObject({
    /** git URL of the source it comes from, without credentials */
    source: oneLine,
    /** in that repository; absent: its top */
    directory: oneLine.optional(),
    /** what its packages were made of, as is the fingerprint; of one without packages: of its latest try */
    commit: hex,
    /** digest of whatever else than versions of this tree's packages decides whether it has to be built */
    fingerprint: hex,
    /** of its packages, [epoch:]pkgver-pkgrel; of one without packages: what the recipe said */
    version: packageVersion,
    /** what the tree has of it; empty: it was never built */
    packages: z.array(madePackage),
    /** number of the build that made them; 0: none */
    built: z.int().nonnegative(),
    /** version of each package of this tree that they were built with */
    dependencies: z.record(packageName, packageVersion).transform((record) => new Map(Object.entries(record))),
    /** packages from outside of this tree whose libraries they need, as they were when they were built; absent: none known */
    outside: z
      .record(packageName, outsidePackage)
      .transform((record) => new Map(Object.entries(record)))
      .optional(),
    /** what they took for the time when they were built, in seconds since 1970, and the digest of the recipe's files */
    time: z.strictObject({ content: hex, seconds: z.int().nonnegative() }).optional(),
    status,
    /** why, where it was not built */
    reason: oneLine.optional(),
  })
  .refine(({ packages, built }) => packages.length > 0 === built > 0, {
    error: 'packages and the build that made them go together',
  })

const schema = z.strictObject({
  schema: z.literal(1),
  /** of the repo: clients find it under os/ARCHITECTURE */
  architecture: z.string().refine((name) => isArchitecture(name) && name !== 'any', 'is no architecture of a machine'),
  recipes: z.record(packageName, recipe).transform((record) => new Map(Object.entries(record))),
  /** version of each package in the pristine root */
  root: z.record(packageName, text).transform((record) => new Map(Object.entries(record))),
})

type Parsed = z.infer<typeof recipe>
export type RecipeStatus = z.infer<typeof status>
type MadePackage = Readonly<z.infer<typeof madePackage>>

/** Packages from outside of a tree by name, each with the sonames that are needed of it: `libfoo.so.1=64`. */
export type OutsidePackages = ReadonlyMap<string, { readonly version: string; readonly libraries: readonly string[] }>

/** What `recipes.json` says of one recipe; maps are by pkgname. */
export interface RecipeRecord extends Readonly<Omit<Parsed, 'packages' | 'dependencies' | 'outside'>> {
  readonly packages: readonly MadePackage[]
  readonly dependencies: ReadonlyMap<string, string>
  readonly outside?: OutsidePackages | undefined
}

/** `recipes.json`, the pack `recipes` of a pacman repo's build. */
export interface Recipes {
  /** of the repo: clients find it under os/ARCHITECTURE */
  readonly architecture: string
  /** by pkgbase */
  readonly recipes: ReadonlyMap<string, RecipeRecord>
  /** package → version, of the pristine root they were built in */
  readonly root: ReadonlyMap<string, string>
}

export const RECIPES_FILE = 'recipes.json'

/**
 * @param source named in errors
 * @throws RECIPES_INVALID, RECIPES_TOO_NEW
 */
export function parseRecipes(json: string, source: string): Recipes {
  const data = parseJson(json, source)
  const version = typeof data === 'object' && data !== null && 'schema' in data ? data.schema : undefined
  if (typeof version === 'number' && version > 1) {
    throw configurationError(
      'RECIPES_TOO_NEW',
      `${source} was written by a newer treeswap (schema ${version}; this one reads 1)`,
      'upgrade treeswap on this host',
    )
  }
  const result = schema.safeParse(data)
  if (!result.success) throw invalid(source, z.prettifyError(result.error))
  const twice = madeTwice(result.data)
  if (twice !== undefined) throw invalid(source, `the package ${twice} is in it twice`)
  const { architecture, recipes, root } = result.data
  return { architecture, recipes, root }
}

/** Equal content gives equal bytes, whatever the order. */
export function encodeRecipes({ architecture, recipes, root }: Recipes): string {
  const document = {
    schema: 1,
    architecture,
    recipes: sorted(recipes, ({ packages, dependencies, outside, reason, ...rest }) => ({
      ...rest,
      packages: packages.toSorted((a, b) => compare(a.name, b.name)),
      dependencies: sorted(dependencies, (version) => version),
      ...(outside !== undefined &&
        outside.size > 0 && {
          outside: sorted(outside, ({ version, libraries }) => ({ version, libraries: libraries.toSorted(compare) })),
        }),
      ...(reason !== undefined && { reason: printable(reason) }),
    })),
    root: sorted(root, (version) => version),
  }
  return JSON.stringify(document, undefined, 2) + '\n'
}

/** Version of every package that the tree has, by pkgname. */
export function packageVersions({ recipes }: Pick<Recipes, 'recipes'>): Map<string, string> {
  return new Map([...recipes.values()].flatMap(({ packages }) => packages.map(({ name, version }) => [name, version])))
}

function madeTwice({ recipes }: Recipes): string | undefined {
  const seen = new Set<string>()
  for (const { name } of [...recipes.values()].flatMap(({ packages }) => packages)) {
    if (seen.has(name)) return name
    seen.add(name)
  }
  return undefined
}

function sorted<T, U>(map: ReadonlyMap<string, T>, write: (value: T) => U): Record<string, U> {
  const entries = [...map].sort(([a], [b]) => compare(a, b))
  return Object.fromEntries(entries.map(([key, value]) => [key, write(value)]))
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** A reason may be what another program said. */
function printable(reason: string): string {
  const line = reason.replace(/\p{Cc}+/gu, ' ').trim()
  return line === '' ? 'no reason given' : line.slice(0, 4000)
}

function parseJson(json: string, source: string): unknown {
  try {
    return JSON.parse(json)
  } catch (cause) {
    throw invalid(source, 'it is not JSON', cause)
  }
}

function invalid(source: string, why: string, cause?: unknown): Error {
  return configurationError(
    'RECIPES_INVALID',
    `${source} is no list of built recipes: ${why}`,
    'see what wrote it: the pack "recipes" of a build is made by `treeswap build` alone',
    cause,
  )
}
