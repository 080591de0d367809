import { pkgbuild } from '../../lab/pkgbuild.js'

/** A recipe for each feature that the recipes of real distributions use. */

const recipe = (name: string, version: string, lines: string): string =>
  pkgbuild(name, version, `${lines}\npackage() { install -d "$pkgdir/usr/share/${name}"; }`)

/** Its version is the time at which it is built; what it packs follows the HEAD of a repository. */
export const clock = (git: string): string =>
  pkgbuild(
    'clock',
    '1',
    `makedepends=(git)
source=("upstream::git+${git}/upstream")
sha256sums=(SKIP)
pkgver() { date -u +%Y%m%d%H%M%S; }
package() { install -D -m 644 upstream/data "$pkgdir/usr/share/clock"; }`,
  )

/** Its version is another one whenever somebody looks. */
export const ticking = recipe('ticking', '$(date -u +%Y%m%d%H%M%S%N)', '')

/** Its version is that of a branch. */
export const revision = (git: string): string =>
  pkgbuild(
    'revision',
    'r0',
    `makedepends=(git)
source=("git+${git}/library#branch=main")
sha256sums=(SKIP)
pkgver() { cd library && printf 'r%s' "$(git rev-list --count HEAD)"; }
package() { install -D -m 644 library/data "$pkgdir/usr/share/revision"; }`,
  )

/** Of the same repository as `clock`, but never anything else than this tag. */
export const pinned = (git: string): string =>
  pkgbuild(
    'pinned',
    '1.0',
    `makedepends=(git)
source=("git+${git}/upstream#tag=v$pkgver")
sha256sums=(SKIP)
package() { install -D -m 644 upstream/data "$pkgdir/usr/share/pinned"; }`,
  )

/** Fetches a file of which no checksum is known, and another one of which there is. */
export const fetched = (http: string, sha256: string): string =>
  pkgbuild(
    'fetched',
    '1.0',
    `source=("${http}/release.txt" checked.txt)
sha256sums=(SKIP ${sha256})
package() { install -D -m 644 -t "$pkgdir/usr/share/fetched" release.txt checked.txt; }`,
  )

/** Fetches something while it is packed. */
export const online = (name: string, http: string): string =>
  pkgbuild(
    name,
    '1.0',
    `package() { install -d "$pkgdir/usr/share" && curl -sSf -o "$pkgdir/usr/share/${name}" ${http}/release.txt; }`,
  )

/** Brings a program that the client runs. */
export const hooked = (version: string): Record<string, string> => ({
  'hooked/PKGBUILD': recipe('hooked', version, 'install=hooked.install'),
  'hooked/hooked.install': `post_install() { echo "installed $1" >> /var/lib/hooked; }
post_upgrade() { echo "upgraded to $1 from $2" >> /var/lib/hooked; }
pre_remove() { echo "removed $1" >> /var/lib/hooked; }
`,
})

export const epoch = (lines: string, version: string): string => recipe('epochal', version, lines)

export const elder = recipe('elder', '3.0', '')
/** Takes the place of `elder`, with a lower version. */
export const successor = recipe('successor', '1.0', 'replaces=(elder)\nconflicts=(elder)\nprovides=("elder=3.1")')

const source = `#include <stdio.h>
static int told(int times) { return printf("%d\\n", times); }
int main(void) { return told(7) < 0; }
`

const compiled = (name: string, lines: string): Record<string, string> => ({
  [`${name}/PKGBUILD`]: pkgbuild(
    name,
    '1.0',
    `${lines}
source=(program.c)
sha256sums=(SKIP)
build() { gcc -g -o ${name} program.c; }
package() {
  install -D ${name} "$pkgdir/usr/bin/${name}"
  install -D -m 644 program.c "$pkgdir/usr/share/doc/${name}/program.c"
  install -d "$pkgdir/usr/share/${name}/empty"
}`,
  ),
  [`${name}/program.c`]: source,
})

/** Keeps its symbols, loses its documentation and its empty directory. */
export const unusual = compiled('unusual', 'options=(!strip !docs !emptydirs)')
/** What makepkg does by itself, and a package with the symbols. */
export const usual = (version: number): Record<string, string> => {
  const files = compiled('usual', 'options=(debug)')
  return { ...files, 'usual/PKGBUILD': (files['usual/PKGBUILD'] ?? '').replace('pkgver=1.0', `pkgver=${version}.0`) }
}

/** Two packages of one recipe, each with its own dependencies. */
export const split = `pkgbase=split
pkgname=(split-program split-data)
pkgver=1.0
pkgrel=1
arch=(x86_64)
license=(custom)
package_split-program() {
  pkgdesc='The program'
  depends=("split-data=$pkgver")
  install -d "$pkgdir/usr/share/split-program"
}
package_split-data() {
  pkgdesc='Its data'
  arch=(any)
  install -d "$pkgdir/usr/share/split-data"
}
`

/** @param second what becomes of the second of its packages */
export const torn = (version: string, second: string): string => `pkgbase=torn
pkgname=(torn-first torn-second)
pkgver=${version}
pkgrel=1
arch=(x86_64)
license=(custom)
package_torn-first() { install -d "$pkgdir/usr/share/torn-first"; }
package_torn-second() { ${second}; }
`
