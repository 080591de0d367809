/**
 * A root file system in which `emerge` works as in a Gentoo stage3, without Gentoo: Debian's minimal system plus
 * Portage from PyPI. Whatever Portage needs to run there is set in the root itself, never by treeswap.
 */
import { appendFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../src/system/process.js'
import { debianRoot } from './debian-root.js'
import type { Told } from './debian-root.js'

/** pax-utils: Portage lists with scanelf which libraries a package needs, and keeps those still in use. */
const compiler = ['gcc', 'libc6-dev', 'make', 'patch', 'pax-utils']

const recipe = {
  packages: ['python3', 'rsync', 'wget', 'file', 'bzip2', 'xz-utils', 'zstd', 'gnupg', 'libcap2-bin'],
  portage: '3.0.83',
  /** Portage looks for its configuration below Python's prefix, and for GNU tar under the name that BSD gives it. */
  links: { share: 'usr/share', 'usr/bin/gtar': 'tar' },
}

/** The module form of Portage takes Python's prefix for its own; this tells every Python process that it is `/`. */
const prefixHook = "import os; os.environ.setdefault('PORTAGE_OVERRIDE_EPREFIX', '/')\n"

/** Path of a root with compiler and Portage, to be copied, never written to. */
export async function builderRoot(tell: Told): Promise<string> {
  return await root('builder', [...recipe.packages, ...compiler], tell)
}

/** The same without compiler, make and headers: what is installed here cannot have been compiled here. */
export async function clientRoot(tell: Told): Promise<string> {
  return await root('client', recipe.packages, tell)
}

async function root(kind: string, packages: string[], tell: Told): Promise<string> {
  const name = `portage-root-${kind}`
  return await debianRoot({ name, packages, recipe: { ...recipe, prefixHook }, finish: installPortage }, tell)
}

/** As a stage3 has it: user and group `portage`, the programs in /usr/bin, the configuration in /usr/share/portage. */
async function installPortage(directory: string): Promise<void> {
  appendFileSync(join(directory, 'etc/group'), 'portage:x:250:portage\n')
  appendFileSync(join(directory, 'etc/passwd'), 'portage:x:250:250:portage:/var/tmp/portage:/bin/false\n')
  const wheels = join(directory, 'tmp/wheels')
  const pip = ['-m', 'pip', '--quiet', '--disable-pip-version-check', '--no-input']
  await run('/usr/bin/python3', [...pip, 'download', '--no-deps', '--dest', wheels, `portage==${recipe.portage}`])
  const wheel = readdirSync(wheels).find((name) => name.endsWith('.whl'))
  if (wheel === undefined) throw new Error(`no wheel of portage ${recipe.portage} was downloaded`)
  await run(
    '/usr/bin/python3',
    [
      ...pip,
      'install',
      '--break-system-packages',
      '--no-deps',
      '--no-warn-script-location',
      '--root-user-action=ignore',
    ].concat(['--ignore-installed', '--root', directory, '--prefix', '/usr', join(wheels, wheel)]),
    { env: { ...cleanEnvironment(), DEB_PYTHON_INSTALL_LAYOUT: 'deb' } },
  )
  rmSync(wheels, { recursive: true })
  writeFileSync(join(directory, 'usr/lib/python3/dist-packages/portage-prefix.pth'), prefixHook)
  for (const [link, target] of Object.entries(recipe.links)) symlinkSync(target, join(directory, link))
}

function cleanEnvironment(): Record<string, string> {
  return Object.fromEntries(
    Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  )
}
