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

/**
 * Installs what a recipe depends on: packages of its own repo from the staging directory, others from the repos that the
 * root knows, in the state that it knows them.
 * @throws DEPENDENCIES_MISSING
 */
export async function installDependencies(build: RecipeBuild, names: readonly string[]): Promise<void> {
  if (names.length === 0) return
  const pacman = ['pacman', '--noconfirm', '--noprogressbar', '--config']
  const calls = [
    { argv: [...pacman, `${inside.staging}/staging.conf`, '-Sy'], network: false },
    { argv: [...pacman, `${inside.staging}/pacman.conf`, '-S', '--needed', '--asdeps', '--', ...names], network: true },
  ]
  for (const { argv, network } of calls) {
    const { code, output } = await runInRecipe(build, { argv, told: argv.join(' '), network, root: true })
    if (code === 0) continue
    throw buildError(
      'DEPENDENCIES_MISSING',
      `its dependencies could not be installed: ${telling(output)}`,
      'see that they are spelt right; where packages are not found on mirrors any more: `treeswap chroot update`',
    )
  }
}
