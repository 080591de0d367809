import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { runInRoot } from '../lab/nspawn.js'
import { builderRoot } from '../lab/portage-root.js'

/**
 * A tarball in the shape of a stage3: a relative make.profile link that dangles until there is an ebuild repo, and a
 * system set whose packages are installed without any binary package.
 * @param repo an ebuild repo with sys-test/base and profile base/system
 */
export async function makeStage3(directory: string, repo: string): Promise<string> {
  const root = join(directory, 'stage3')
  const tarball = join(directory, 'stage3-test.tar.zst')
  execFileSync('cp', ['-a', '--reflink=auto', await builderRoot(() => undefined), root])
  mkdirSync(join(root, 'etc/portage'), { recursive: true })
  symlinkSync('../../var/db/repos/gentoo/profiles/base/system', join(root, 'etc/portage/make.profile'))
  cpSync(repo, join(root, 'var/db/repos/gentoo'), { recursive: true })
  const { exitCode, lines } = await runInRoot(root, ['emerge', '--oneshot', 'sys-test/base'])
  if (exitCode !== 0) throw new Error(`the stage3 could not be made:\n${lines.join('\n')}`)
  for (const path of ['var/db/repos', 'var/cache/binpkgs', 'var/log/portage']) {
    rmSync(join(root, path), { recursive: true, force: true })
  }
  execFileSync('tar', ['--zstd', '--xattrs', '--numeric-owner', '-cf', tarball, '-C', root, '.'])
  execFileSync('rm', ['-rf', '--one-file-system', root])
  return tarball
}
