/**
 * A tarball in the shape of a Gentoo stage3: a relative make.profile link, a system set that is not empty, and
 * packages installed whose binary packages nobody has.
 */
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../src/system/process.js'
import { cachedDirectory, recipeKey } from './cache.js'
import { runInRoot } from './nspawn.js'
import { builderRoot } from './portage-root.js'
import type { Told } from './portage-root.js'

/** What the tarball has installed, as CATEGORY/PF; baselayout is in its system set. */
export const stage3Packages = ['sys-apps/baselayout-2.15', 'sys-apps/probe-1.0']

const profile = '../../var/db/repos/gentoo/profiles/default/linux/amd64/stage3'
const repo = new URL('repos/gentoo/', import.meta.url).pathname
const makeConf = 'FEATURES="-sandbox -usersandbox -network-sandbox"\n'

/** Path of the tarball; its make.profile needs the lab's `gentoo` at /var/db/repos/gentoo. */
export async function stage3Tarball(tell: Told): Promise<string> {
  const from = await builderRoot(tell)
  const files = ['sys-apps/baselayout/baselayout-2.15.ebuild', 'sys-apps/probe/probe-1.0.ebuild']
  const key = recipeKey([from, profile, makeConf, ...files.map((file) => readFileSync(join(repo, file), 'utf8'))])
  const directory = await cachedDirectory(`stage3-${key}`, async (partial) => {
    tell('making a tarball in the shape of a stage3 (once)')
    const root = join(partial, 'root')
    await run('cp', ['-a', '--reflink=auto', from, root])
    await install(root)
    await run('tar', [
      '--xattrs',
      '--xattrs-include=*',
      '--numeric-owner',
      '-I',
      'zstd -3 -T0',
      '-C',
      root,
      '-cf',
      join(partial, 'stage3.tar.zst'),
      '.',
    ])
    rmSync(root, { recursive: true })
  })
  return join(directory, 'stage3.tar.zst')
}

async function install(root: string): Promise<void> {
  mkdirSync(join(root, 'etc/portage'))
  writeFileSync(join(root, 'etc/portage/make.conf'), makeConf)
  symlinkSync(profile, join(root, 'etc/portage/make.profile'))
  const repos = join(root, 'var/db/repos')
  cpSync(repo, join(repos, 'gentoo'), { recursive: true, verbatimSymlinks: true })
  const argv = ['emerge', '--oneshot', '--color=n', ...stage3Packages.map((cpv) => `=${cpv}`)]
  const { exitCode, lines } = await runInRoot(root, argv)
  if (exitCode !== 0)
    throw new Error(`emerge in the stage3 ended with exit code ${exitCode}:\n${lines.slice(-30).join('\n')}`)
  for (const path of [
    'var/db/repos/gentoo',
    'var/cache/binpkgs',
    'var/cache/edb',
    'var/log/emerge.log',
    'var/tmp/portage',
  ]) {
    rmSync(join(root, path), { recursive: true, force: true })
  }
}
