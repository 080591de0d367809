import { baseEnvironment } from '../chroot/base-environment.js'
import type { Bind, Limits, Session } from '../chroot/requests.js'
import { ticks } from '../system/clock.js'

/** Where the directories of a build appear inside the container. */
export const inside = {
  recipe: '/run/treeswap/recipe',
  sources: '/run/treeswap/sources',
  output: '/run/treeswap/output',
  staging: '/run/treeswap/staging',
} as const

/** makepkg refuses to be root: whom it runs as, and where. */
export const builder = {
  user: 'treeswap-build',
  home: '/srv/treeswap/home',
  recipe: '/srv/treeswap/home/recipe',
} as const

/** The host's directories of one recipe's build; to read its .SRCINFO, the recipe is enough. */
export interface RecipeDirectories {
  /** the recipe; a copy of it is built */
  recipe: string
  /** downloaded sources, kept from build to build; belongs to the root's users */
  sources?: string
  /** gets the packages */
  output?: string
  /** packages of the same repo with a database, and stagingConfiguration */
  staging?: string
}

/** One recipe in one container session. */
export interface RecipeBuild {
  session: Session
  directories: RecipeDirectories
  /** "Name <mail@example.org>" */
  packager: string
  /** seconds since 1970: what reproducible builds take for now */
  sourceDate: number
  limits: Limits
  /** on the clock of ticks(); undefined: there is no limit of time */
  deadline: number | undefined
  /** every line of output, for the log */
  record: (line: string) => void
}

export interface RecipeProgram {
  argv: readonly string[]
  /** what the log says that is done */
  told: string
  network: boolean
  /** whether it runs as the container's root instead of the builder */
  root?: boolean
}

/** Ends what a program prints of itself and begins what is asked for. */
export const MARK = '== treeswap =='
/** Characters that are taken of what is asked for: what is cut is longer than whatever is made of it allows. */
const MOST_ASKED_FOR = 2 ** 20

/**
 * Runs a program in a recipe's container: the builder's in the copy of the recipe.
 * @returns its exit code, the last lines of its output, and what it printed after the last MARK
 */
export async function runInRecipe(
  build: RecipeBuild,
  { argv, told, network, root = false }: RecipeProgram,
): Promise<{ code: number; output: string[]; answer: string }> {
  const { session, directories, limits, deadline, record } = build
  record(`$ ${told}`)
  const seconds = deadline === undefined ? {} : { seconds: Math.max(1, (deadline - ticks()) / 1000) }
  const output: string[] = []
  let answer: string[] = []
  let length = 0
  const code = await session.run(
    {
      argv: root ? [...argv] : asBuilder(build, argv),
      env: { ...baseEnvironment },
      binds: bindsOf(directories),
      network,
      limits: { ...limits, ...seconds },
    },
    (line) => {
      if (output.push(line) > 2000) output.shift()
      if (line === MARK) answer = []
      else if (length <= MOST_ASKED_FOR) answer.push(line)
      length = line === MARK ? 0 : length + line.length + 1
      record(line)
    },
  )
  return { code, output, answer: answer.join('\n') + '\n' }
}

/** What makepkg and pacman say of an error, or else the end of the output. */
export function telling(output: readonly string[]): string {
  const errors = output
    .filter((line) => /^(==> ERROR:|error:)/.test(line))
    .map((line) => line.replace(/^(==> ERROR|error): */, ''))
  return (errors.length > 0 ? errors : output).slice(-3).join(' | ') || 'it said nothing'
}

function asBuilder({ directories, packager, sourceDate }: RecipeBuild, argv: readonly string[]): string[] {
  const { user, home, recipe } = builder
  const variables = {
    HOME: home,
    BUILDDIR: `${home}/build`,
    SRCDEST: directories.sources === undefined ? `${home}/sources` : inside.sources,
    PKGDEST: directories.output === undefined ? `${home}/output` : inside.output,
    SRCPKGDEST: `${home}/source`,
    LOGDEST: `${home}/log`,
    PKGEXT: '.pkg.tar.zst',
    PACKAGER: packager,
    SOURCE_DATE_EPOCH: String(sourceDate),
  }
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  const enter = ['sh', '-c', 'cd "$0" && exec "$@"', recipe]
  return [...enter, 'runuser', '-u', user, '--', 'env', ...assignments, ...argv]
}

/** Where the container may write into directories of the host. */
export function writablePlaces(directories: RecipeDirectories): string[] {
  return bindsOf(directories).flatMap(({ target, writable }) => (writable ? [target] : []))
}

function bindsOf(directories: RecipeDirectories): Bind[] {
  const keys = ['recipe', 'sources', 'output', 'staging'] as const
  return keys.flatMap((key) => {
    const source = directories[key]
    const writable = key === 'sources' || key === 'output'
    return source === undefined ? [] : [{ source, target: inside[key], writable }]
  })
}
