/** What happens in the git repositories while the demo runs. */
import type { Repos } from '../lab/repos.js'
import { expectSame } from './expect.js'

const program = 'app-misc/wordindex'
const library = 'dev-libs/libwordindex'

/** A new version of the program. */
export async function bumpProgram({ overlay }: Repos): Promise<void> {
  overlay.write(`${program}/wordindex-1.1.ebuild`, overlay.read(`${program}/wordindex-1.0.ebuild`))
  overlay.write(`${program}/files/wordindex-1.1.c`, sourceOf(overlay, '1.1'))
  await overlay.commit('wordindex 1.1')
}

/** A USE change, a new world entry, and an edit of make.conf that leaves its size as it was. */
export async function changeProfile({ profile }: Repos): Promise<void> {
  profile.write('database/etc-portage/package.use/database', 'app-misc/hello -nls\ndev-libs/utf8proc static-libs\n')
  profile.write('database/world', `app-arch/lzlib\n${profile.read('database/world')}`)
  replaceEqually(profile, 'database/etc-portage/make.conf', '-j2', '-j1')
  await profile.commit('lzlib for everybody; static utf8proc')
}

/** A file of the main repo gets other content of equal size: rsync alone cannot see it. */
export async function editEqually({ gentoo }: Repos): Promise<void> {
  replaceEqually(gentoo, 'README', 'ready', 'fresh')
  await gentoo.commit('Say that it is fresh')
}

/** One package changes, nothing else. */
export async function reviseProgram({ overlay }: Repos): Promise<void> {
  const ebuild = overlay.read(`${program}/wordindex-1.1.ebuild`)
  overlay.write(
    `${program}/wordindex-1.1-r1.ebuild`,
    ebuild.replace('dobin wordindex', '$&\n\tdosym wordindex /usr/bin/widx'),
  )
  overlay.remove(`${program}/wordindex-1.1.ebuild`)
  await overlay.commit('wordindex: short name')
}

/** The next version needs a new library, which compiles, and does not compile itself. */
export async function breakProgram({ overlay }: Repos): Promise<void> {
  overlay.write(`${library}/libwordindex-1.1.ebuild`, overlay.read(`${library}/libwordindex-1.0.ebuild`))
  const ebuild = overlay.read(`${program}/wordindex-1.1-r1.ebuild`)
  overlay.write(`${program}/wordindex-1.2.ebuild`, ebuild.replace(`"${library}"`, `">=${library}-1.1"`))
  overlay.write(`${program}/files/wordindex-1.2.c`, sourceOf(overlay, '1.2').replace('return 2;', 'return 2'))
  await overlay.commit('wordindex 1.2')
}

export async function mendProgram({ overlay }: Repos): Promise<void> {
  overlay.write(`${program}/files/wordindex-1.2.c`, sourceOf(overlay, '1.2'))
  await overlay.commit('wordindex 1.2: mend a typing error')
}

function sourceOf(overlay: Repos['overlay'], version: string): string {
  return overlay.read(`${program}/files/wordindex-1.0.c`).replace('wordindex 1.0', `wordindex ${version}`)
}

function replaceEqually(repo: Repos['overlay'], path: string, from: string, to: string): void {
  const before = repo.read(path)
  const after = before.replace(from, to)
  expectSame(`size of ${path}`, after.length, before.length)
  expectSame(`whether ${path} changed`, after === before, false)
  repo.write(path, after)
}
