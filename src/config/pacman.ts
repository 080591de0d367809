import { normalize } from 'node:path'
import type * as z from 'zod'
import type { pacmanRepo } from './pacman-schema.js'
import { resolveGitUrl, withoutTrailingSlash } from './urls.js'

/** A pacman repo: where its recipes come from, how they are built, who signs. */
export interface PacmanConfig {
  name: string
  architecture: string
  chroot: string
  repositories: RecipeRepository[]
  programs: ProgramRepository[]
  lists: RecipeList[]
  /** package name → URL of the source it is taken from */
  prefer: ReadonlyMap<string, string>
  /** pkgbase of recipes that may use the network while they build */
  network: ReadonlySet<string>
  packager: string
  /** recipes built at a time */
  parallel: number
  debug: boolean
  /** of one recipe */
  limits: { memory?: number; processes: number; seconds: number; disk: number }
  /** names in `keys`; undefined: unsigned */
  sign: string | undefined
  trust: string[]
  revoke: string[]
  /** names in `uploads` */
  upload: string[]
  publish: boolean
}

interface RecipeSource {
  url: string
  /** undefined: the remote's default branch */
  branch: string | undefined
  pollSeconds: number
  /** when Jenkins polls; '': only when it is notified */
  schedule: string
}

export interface RecipeRepository extends RecipeSource {
  /** glob of directories */
  recipes: string
}

export interface ProgramRepository extends RecipeSource {
  /** relative directory of the recipe; undefined: the top */
  path: string | undefined
  /** pattern with one `*`; undefined: the branch is followed */
  tags: string | undefined
}

export interface RecipeList extends RecipeSource {
  file: string
  /** no slash at the end */
  base: string
}

const PACKAGER = 'treeswap <treeswap@localhost.invalid>'

/** @param base directory at which relative paths start */
export function resolvePacman(written: z.infer<typeof pacmanRepo>, name: string, base: string): PacmanConfig {
  const { limits, sign } = written
  return {
    name,
    architecture: written.architecture,
    chroot: written.chroot ?? name,
    repositories: written.repositories.map((one) => ({ ...sourceOf(one, base), recipes: one.recipes })),
    programs: written.programs.map((one) => ({ ...sourceOf(one, base), path: inside(one.path), tags: one.tags })),
    lists: written.lists.map((one) => ({
      ...sourceOf(one, base),
      file: one.file,
      base: withoutTrailingSlash(resolveGitUrl(one.base, base)),
    })),
    prefer: new Map(Object.entries(written.prefer).map(([from, url]) => [from, resolveGitUrl(url, base)])),
    network: new Set(written.network),
    packager: written.packager ?? PACKAGER,
    parallel: written.parallel,
    debug: written.debug,
    limits: {
      processes: limits.processes,
      seconds: limits.time,
      disk: limits.disk,
      ...(limits.memory !== undefined && { memory: limits.memory }),
    },
    sign,
    trust: written.trust ?? (sign === undefined ? [] : [sign]),
    revoke: written.revoke,
    upload: written.upload,
    publish: written.publish,
  }
}

interface WrittenSource {
  url: string
  branch?: string | undefined
  poll: number
  schedule: string
}

function sourceOf({ url, branch, poll, schedule }: WrittenSource, base: string): RecipeSource {
  return {
    url: resolveGitUrl(url, base),
    branch,
    pollSeconds: poll,
    schedule,
  }
}

/** As git names it: `./x/` is `x`, `.` is the top. */
function inside(path: string): string | undefined {
  const normal = normalize(path).replace(/\/$/, '')
  return normal === '.' ? undefined : normal
}
