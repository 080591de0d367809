/**
 * A tarball in the shape of a Gentoo stage3: a relative make.profile link that dangles until there is an ebuild repo,
 * and packages installed whose binary packages nobody has.
 */
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../src/system/process.js'
import { cachedDirectory, recipeKey } from './cache.js'
import { digestOf } from './digest.js'
import { runInRoot } from './nspawn.js'
import { builderRoot } from './portage-root.js'
import type { Told } from './debian-root.js'

export interface Stage3 {
  /** directory of the ebuild repo that it was made with */
  repo: string
  /** below the repo's profiles/ */
  profile: string
  /** atoms that are installed */
  packages: string[]
}

/** Path of the tarball, kept in the cache. */
export async function stage3Tarball({ repo, profile, packages }: Stage3, tell: Told): Promise<string> {
  const from = await builderRoot(tell)
  const key = recipeKey([from, profile, packages, ...digestOf(repo)])
  const directory = await cachedDirectory(`stage3-${key}`, async (partial) => {
    tell('making a tarball in the shape of a stage3 (once)')
    const root = join(partial, 'root')
    await run('cp', ['-a', '--reflink=auto', from, root])
    mkdirSync(join(root, 'etc/portage'), { recursive: true })
    symlinkSync(`../../var/db/repos/gentoo/profiles/${profile}`, join(root, 'etc/portage/make.profile'))
    cpSync(repo, join(root, 'var/db/repos/gentoo'), { recursive: true, verbatimSymlinks: true })
    const { exitCode, lines } = await runInRoot(root, ['emerge', '--oneshot', '--color=n', ...packages])
    if (exitCode !== 0) {
      throw new Error(`emerge in the stage3 ended with exit code ${exitCode}:\n${lines.slice(-30).join('\n')}`)
    }
    for (const path of ['var/db/repos/gentoo', 'var/cache/binpkgs', 'var/cache/edb', 'var/log', 'var/tmp/portage']) {
      rmSync(join(root, path), { recursive: true, force: true })
    }
    const tarball = join(partial, 'stage3.tar.zst')
    const attributes = ['--xattrs', '--xattrs-include=*', '--numeric-owner']
    await run('tar', [...attributes, '-I', 'zstd -3 -T0', '-C', root, '-cf', tarball, '.'])
    rmSync(root, { recursive: true })
  })
  return join(directory, 'stage3.tar.zst')
}
