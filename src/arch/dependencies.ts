import { buildError } from '../model/errors.js'
import { inside, runInRecipe, telling } from './recipe-container.js'
import type { RecipeBuild } from './recipe-container.js'

/** Name of the repo that the staging directory is to pacman. */
export const STAGING = 'treeswap-staging'

const section = `[${STAGING}]\nSigLevel = Never\nServer = file://${inside.staging}\n`

/** In the staging directory: pacman's configuration with the staging repo alone, and with all others after it. */
export const stagingConfiguration = {
  'staging.conf': `[options]\nArchitecture = auto\n\n${section}`,
  'pacman.conf': `${section}\nInclude = /etc/pacman.conf\n`,
} as const

/** What the staging repo has is taken from there; of the rest only what the root has not got in another way. */
const INSTALL = `set -euf
options='--noconfirm --noprogressbar'
pacman $options --config ${inside.staging}/staging.conf -Sy
wanted=
for one; do
  if pacman --config ${inside.staging}/staging.conf -Sddp -- "$one" > /dev/null 2>&1 ||
    ! pacman -T -- "$one" > /dev/null 2>&1; then wanted="$wanted $one"; fi
done
[ -z "$wanted" ] || exec pacman $options --config ${inside.staging}/pacman.conf -S --needed --asdeps -- $wanted
`

/**
 * Installs what a recipe depends on: packages of its own repo from the staging directory, others from the repos that the
 * root knows, in the state that it knows them.
 * @throws DEPENDENCIES_MISSING
 */
export async function installDependencies(build: RecipeBuild, dependencies: readonly string[]): Promise<void> {
  if (dependencies.length === 0) return
  const argv = ['sh', '-c', INSTALL, 'treeswap-install', ...dependencies]
  const told = `pacman -S --needed --asdeps ${dependencies.join(' ')}`
  const { code, output } = await runInRecipe(build, { argv, told, network: true, root: true })
  if (code === 0) return
  throw buildError(
    'DEPENDENCIES_MISSING',
    `its dependencies could not be installed: ${telling(output)}`,
    'see that they are spelt right; where packages are not found on mirrors any more: `treeswap chroot update`',
  )
}
