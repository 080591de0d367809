import { buildError } from '../model/errors.js'
import { builder, inside, MARK, runInRecipe, telling, writablePlaces } from './recipe-container.js'
import type { RecipeBuild } from './recipe-container.js'

/** What users of an earlier root left among the sources is nobody's in this one, and fetched again. */
const DROP_FOREIGN = `[ -z "$(find "$1" ! -user ${builder.user} -print -quit)" ] || rm -rf -- "$1"`

const MAKE_BUILDER = `set -eu
id ${builder.user} > /dev/null 2>&1 || useradd --system --home-dir ${builder.home} --shell /bin/sh ${builder.user}
mkdir -p ${builder.home}
cp -R ${inside.recipe} ${builder.recipe}
if [ $# -gt 0 ] && ! chown -R ${builder.user}: "$@" 2> /dev/null
then find "$@" -mindepth 1 -maxdepth 1 -exec sh -c '${DROP_FOREIGN}' treeswap-foreign {} \\;
fi
chown -R ${builder.user}: ${builder.home} "$@"
`

/** Prints .SRCINFO after a mark: a PKGBUILD may print as well. */
const PRINT = `makepkg --printsrcinfo > "$HOME/srcinfo" && echo '${MARK}' && cat "$HOME/srcinfo"`

/**
 * Gives what a build writes to a user of its own, and says what the recipe says of itself. To be called first.
 * @returns the text of `.SRCINFO`
 * @throws ROOT_UNUSABLE, RECIPE_INVALID
 */
export async function openRecipe(build: RecipeBuild): Promise<string> {
  const argv = ['sh', '-c', MAKE_BUILDER, 'treeswap-user', ...writablePlaces(build.directories)]
  const user = { argv, told: `useradd ${builder.user}`, network: false, root: true }
  const made = await runInRecipe(build, user)
  if (made.code !== 0) {
    throw buildError(
      'ROOT_UNUSABLE',
      `the user that builds could not be made: ${telling(made.output)}`,
      'see whether its root is complete: `treeswap chroot shell`',
    )
  }
  const print = { argv: ['sh', '-c', PRINT], told: 'makepkg --printsrcinfo', network: false }
  const { code, output, answer } = await runInRecipe(build, print)
  if (code === 0) return answer
  throw buildError(
    'RECIPE_INVALID',
    `makepkg cannot read its PKGBUILD: ${telling(output)}`,
    'mend the recipe; `makepkg --printsrcinfo` beside it shows the same',
  )
}

const PRINT_CHECKSUMS = `makepkg --geninteg --nodeps > "$HOME/checksums" && echo '${MARK}' && cat "$HOME/checksums"`

/** New checksums of the recipe's sources, as lines of a PKGBUILD. @throws SOURCES_FAILED */
export async function printChecksums(build: RecipeBuild): Promise<string> {
  const argv = ['sh', '-c', PRINT_CHECKSUMS]
  const { code, output, answer } = await runInRecipe(build, { argv, told: 'makepkg --geninteg', network: true })
  const sums = /^(?:[a-z0-9]+sums(?:_[a-z0-9_]+)?=\([^()]*\)\n?)+$/m.exec(answer)?.[0]
  if (code === 0 && sums !== undefined) return sums
  throw buildError(
    'SOURCES_FAILED',
    `the sources of its new version could not be fetched: ${telling(output)}`,
    'see that the tag has what `source` names',
  )
}

/** The version is written down: a clock, in pkgver() or in the assignment itself, would go on. */
const FIX = String.raw`printf "\nunset -f pkgver\npkgver='%s'\n" "$(sed -n 's/^\tpkgver = //p' "$HOME/srcinfo")" >> PKGBUILD`

const PREPARE_OPTIONS = '--nobuild --nodeps --noconfirm --force'

const PREPARE = `printf '%s\\n' '' "$@" >> PKGBUILD
for key in keys/pgp/*.asc; do [ ! -f "$key" ] || gpg --batch --quiet --import "$key"; done
makepkg ${PREPARE_OPTIONS} && ${PRINT} && ${FIX}
`

/**
 * Fetches and verifies the sources, unpacks them, runs prepare() and pkgver(): with network. Keys that the recipe brings
 * in keys/pgp/ are those that sources may be signed with.
 * @param more lines to be added to the PKGBUILD
 * @returns the text of `.SRCINFO`, with the version that pkgver() gave
 * @throws SOURCES_FAILED
 */
export async function prepareSources(build: RecipeBuild, more: string): Promise<string> {
  // a single argument may not be long
  const argv = ['sh', '-c', PREPARE, 'makepkg', ...more.split('\n')]
  const told = `makepkg ${PREPARE_OPTIONS}`
  const { code, output, answer } = await runInRecipe(build, { argv, told, network: true })
  if (code === 0) return answer
  throw buildError(
    'SOURCES_FAILED',
    `its sources could not be fetched, verified or prepared: ${telling(output)}`,
    'see the end of its log; keys that sources are signed with belong into keys/pgp/ beside the PKGBUILD',
  )
}

const MAKE = `printf '\\npkgrel=%s\\n' "$1" >> PKGBUILD
shift
exec makepkg "$@"
`

/**
 * Runs build(), check() and package() on what prepareSources left, without network unless it is allowed.
 * @param release pkgrel to build with
 * @throws RECIPE_FAILED
 */
export async function makePackages(build: RecipeBuild, release: string, network: boolean): Promise<void> {
  const options = ['--noextract', '--nodeps', '--noconfirm', '--force']
  const argv = ['sh', '-c', MAKE, 'makepkg', release, ...options]
  const { code, output } = await runInRecipe(build, { argv, told: `makepkg ${options.join(' ')}`, network })
  if (code === 0) return
  const hint = network ? '' : '; if it fetches something while it builds, name it under `network` of the repo'
  throw buildError(
    'RECIPE_FAILED',
    `makepkg failed: ${telling(output)}`,
    `see the end of its log and mend the recipe${hint}`,
  )
}
