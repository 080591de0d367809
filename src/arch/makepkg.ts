import { baseEnvironment } from '../chroot/base-environment.js'
import type { Bind, Limits, Session } from '../chroot/requests.js'
import { buildError } from '../model/errors.js'
import { ticks } from '../system/clock.js'

/** Where the directories of a build appear inside the container. */
const inside = {
  recipe: '/srv/treeswap/recipe',
  sources: '/srv/treeswap/sources',
  output: '/srv/treeswap/output',
  staging: '/srv/treeswap/staging',
} as const

export const STAGING = 'treeswap-staging'
/** In the staging directory: pacman's configuration with the staging repo alone, and with all others after it. */
export const stagingConfiguration = {
  'staging.conf': `[options]\nArchitecture = auto\n\n[${STAGING}]\nSigLevel = Never\nServer = file://${inside.staging}\n`,
  'pacman.conf': `[${STAGING}]\nSigLevel = Never\nServer = file://${inside.staging}\n\nInclude = /etc/pacman.conf\n`,
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

export interface MakepkgOptions {
  packager: string
  /** seconds since 1970: what reproducible builds take for now */
  sourceDate: number
  limits: Limits
}

/** One recipe in one container session. */
export interface RecipeBuild {
  session: Session
  directories: RecipeDirectories
  options: MakepkgOptions
  /** on the clock of ticks(); undefined: there is no limit of time */
  deadline: number | undefined
  /** every line of output, for the log */
  record: (line: string) => void
}

const USER = 'treeswap-build'
const HOME = '/srv/treeswap/home'
const RECIPE = `${HOME}/recipe`

/** makepkg refuses to be root, and writes into the recipe. */
const PREPARE_USER = `set -eu
id ${USER} > /dev/null 2>&1 || useradd --system --home-dir ${HOME} --shell /bin/sh ${USER}
mkdir -p ${HOME}
cp -R "$1" ${RECIPE}
shift
chown -R ${USER}: ${HOME} "$@"
`

/** Gives what a build writes to a user of its own. To be called before anything else. */
export async function prepareUser(build: RecipeBuild): Promise<void> {
  const { sources, output } = build.directories
  const writable = [
    ...(sources === undefined ? [] : [inside.sources]),
    ...(output === undefined ? [] : [inside.output]),
  ]
  const argv = ['sh', '-c', PREPARE_USER, 'treeswap-user', inside.recipe, ...writable]
  await must(build, argv, { network: false }, 'the user that builds could not be made')
}

/**
 * Installs what a recipe depends on: packages of this repo from the staging directory, others from the repos that the
 * root knows, in the state that it knows them.
 * @throws DEPENDENCIES_MISSING
 */
export async function installDependencies(build: RecipeBuild, names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  const pacman = ['pacman', '--noconfirm', '--noprogressbar', '--config']
  await must(
    build,
    [...pacman, `${inside.staging}/staging.conf`, '-Sy'],
    { network: false },
    'the packages of this repo cannot be read in the container',
  )
  const output: string[] = []
  const argv = [...pacman, `${inside.staging}/pacman.conf`, '-S', '--needed', '--asdeps', '--', ...names]
  const code = await run(build, argv, { network: true }, output)
  if (code === 0) return
  throw buildError(
    'DEPENDENCIES_MISSING',
    `its dependencies could not be installed: ${telling(output)}`,
    'see that they are spelt right; where packages are not found on mirrors any more: `treeswap chroot update`',
  )
}

/** The text of `.SRCINFO` as makepkg writes it of the recipe as it is now. @throws RECIPE_INVALID */
export async function printSrcinfo(build: RecipeBuild): Promise<string> {
  const mark = '== .SRCINFO =='
  const script = `makepkg --printsrcinfo > "$HOME/srcinfo" && echo '${mark}' && cat "$HOME/srcinfo"`
  const output: string[] = []
  const code = await run(build, asUser(build, ['sh', '-c', script]), { network: false }, output)
  if (code === 0) return output.slice(output.lastIndexOf(mark) + 1).join('\n') + '\n'
  throw buildError(
    'RECIPE_INVALID',
    `makepkg cannot read its PKGBUILD: ${telling(output)}`,
    'mend the recipe; `makepkg --printsrcinfo` beside it shows the same',
  )
}

/**
 * Fetches and verifies the sources, unpacks them, runs prepare() and pkgver(): with network. Keys that the recipe brings
 * in keys/pgp/ are those that sources may be signed with.
 * @throws SOURCES_FAILED
 */
export async function prepareSources(build: RecipeBuild): Promise<void> {
  const script =
    'for key in keys/pgp/*.asc; do [ ! -f "$key" ] || gpg --batch --quiet --import "$key"; done; exec makepkg "$@"'
  const makepkg = ['--nobuild', '--nodeps', '--noconfirm', '--force']
  const output: string[] = []
  const code = await run(build, asUser(build, ['sh', '-c', script, 'makepkg', ...makepkg]), { network: true }, output)
  if (code === 0) return
  throw buildError(
    'SOURCES_FAILED',
    `its sources could not be fetched, verified or prepared: ${telling(output)}`,
    'see the end of its log; keys that sources are signed with belong into keys/pgp/ beside the PKGBUILD',
  )
}

/** New checksums of the sources of the recipe, as lines of a PKGBUILD. @throws SOURCES_FAILED */
export async function printChecksums(build: RecipeBuild): Promise<string> {
  const output: string[] = []
  const code = await run(build, asUser(build, ['makepkg', '--geninteg', '--nodeps']), { network: true }, output)
  const sums = /^(?:[a-z0-9]+sums(?:_[a-z0-9_]+)?=\([^()]*\)\n?)+$/m.exec(output.join('\n'))?.[0]
  if (code === 0 && sums !== undefined) return sums
  throw buildError(
    'SOURCES_FAILED',
    `the sources of its new version could not be fetched: ${telling(output)}`,
    'see that the tag has what `source` names',
  )
}

/** Adds lines to the copy of the recipe that is built. */
export async function appendToRecipe(build: RecipeBuild, text: string): Promise<void> {
  const argv = asUser(build, ['sh', '-c', 'printf "\\n%s\\n" "$1" >> PKGBUILD', 'append', text])
  await must(build, argv, { network: false }, 'the recipe could not be changed')
}

/**
 * Runs build(), check() and package() on what prepareSources left, without network unless it is allowed.
 * @param release pkgrel to build with
 * @throws RECIPE_FAILED
 */
export async function makePackages(build: RecipeBuild, release: string, network: boolean): Promise<void> {
  // what pkgver() said is written down by now; a clock would go on
  const script = String.raw`printf '\nunset -f pkgver\npkgrel=%s\n' "$1" >> PKGBUILD; shift; exec makepkg "$@"`
  const makepkg = ['--noextract', '--holdver', '--nodeps', '--noconfirm', '--force']
  const output: string[] = []
  const argv = asUser(build, ['sh', '-c', script, 'makepkg', release, ...makepkg])
  const code = await run(build, argv, { network }, output)
  if (code === 0) return
  const hint = network ? '' : '; if it fetches something while it builds, name it under `network` of the repo'
  throw buildError(
    'RECIPE_FAILED',
    `makepkg failed: ${telling(output)}`,
    `see the end of its log and mend the recipe${hint}`,
  )
}

function asUser({ options }: RecipeBuild, argv: readonly string[]): string[] {
  const variables = {
    HOME,
    BUILDDIR: `${HOME}/build`,
    SRCDEST: inside.sources,
    PKGDEST: inside.output,
    SRCPKGDEST: `${HOME}/source`,
    LOGDEST: `${HOME}/log`,
    PKGEXT: '.pkg.tar.zst',
    PACKAGER: options.packager,
    SOURCE_DATE_EPOCH: String(options.sourceDate),
  }
  const assignments = Object.entries(variables).map(([name, value]) => `${name}=${value}`)
  const enter = ['sh', '-c', 'cd "$0" && exec "$@"', RECIPE]
  return [...enter, 'runuser', '-u', USER, '--', 'env', ...assignments, ...argv]
}

async function must(build: RecipeBuild, argv: string[], how: { network: boolean }, what: string): Promise<void> {
  const output: string[] = []
  if ((await run(build, argv, how, output)) === 0) return
  throw buildError(
    'ROOT_UNUSABLE',
    `${what}: ${telling(output)}`,
    'see whether its root is complete: `treeswap chroot shell`',
  )
}

/** @param output gets the last lines */
async function run(
  { session, directories, options, deadline, record }: RecipeBuild,
  argv: string[],
  { network }: { network: boolean },
  output: string[],
): Promise<number> {
  record(
    `$ ${argv
      .filter((one) => !one.includes('\n'))
      .join(' ')
      .slice(0, 500)}`,
  )
  const seconds = deadline === undefined ? {} : { seconds: Math.max(1, (deadline - ticks()) / 1000) }
  const request = { argv, env: { ...baseEnvironment }, binds: bindsOf(directories), network }
  return session.run({ ...request, limits: { ...options.limits, ...seconds } }, (line) => {
    if (output.push(line) > 2000) output.shift()
    record(line)
  })
}

function bindsOf(directories: RecipeDirectories): Bind[] {
  const keys = ['recipe', 'sources', 'output', 'staging'] as const
  return keys.flatMap((key) => {
    const source = directories[key]
    return source === undefined
      ? []
      : [{ source, target: inside[key], writable: key === 'sources' || key === 'output' }]
  })
}

/** What makepkg and pacman say of an error, or else the end of the output. */
function telling(output: readonly string[]): string {
  const errors = output
    .filter((line) => /^(==> ERROR:|error:)/.test(line))
    .map((line) => line.replace(/^(==> ERROR|error): */, ''))
  return (errors.length > 0 ? errors : output).slice(-3).join(' | ') || 'it said nothing'
}
