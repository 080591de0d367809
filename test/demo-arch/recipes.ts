/** What the distribution consists of: git repositories as their authors would have them. */
import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { GitRepo } from '../lab/git-repo.js'
import { pkgbuild } from '../lab/pkgbuild.js'

const header = (name: string, version: string, lines: string): string =>
  pkgbuild(name, version, lines, { description: 'Part of the demo' })

const tinycdb = (mirror: string, release = 1): string =>
  header(
    'tinycdb',
    '0.78',
    `depends=(glibc)
source=("${mirror}/tinycdb-$pkgver.tar.gz")
sha256sums=(SKIP)
build() { cd tinycdb-$pkgver && make shared piclib; }
package() { cd tinycdb-$pkgver && make install install-sharedlib DESTDIR="$pkgdir" prefix=/usr mandir=/usr/share/man; }`,
  ).replace('pkgrel=1', `pkgrel=${release}`)

const lookup = `#include <cdb.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) {
  struct cdb db;
  if (argc < 3 || cdb_init(&db, open(argv[1], O_RDONLY)) != 0) return 2;
  if (cdb_find(&db, argv[2], strlen(argv[2])) <= 0) return 1;
  printf("lookup: %.*s\\n", (int) cdb_datalen(&db), (const char *) cdb_getdata(&db));
  return 0;
}
`

const lookupRecipe = header(
  'lookup',
  '1.0',
  `depends=(tinycdb)
source=(lookup.c)
sha256sums=(SKIP)
build() { gcc -O2 -o lookup lookup.c -lcdb; }
package() { install -D lookup "$pkgdir/usr/bin/lookup"; }`,
)

const greeterRecipe = (mirror: string): string =>
  header(
    'greeter',
    '0',
    `depends=(glibc)
source=("${mirror}/greeter-$pkgver.tar.gz")
sha256sums=(0000000000000000000000000000000000000000000000000000000000000000)
build() { cd greeter-$pkgver && gcc -O2 -o greeter greeter.c; }
check() { cd greeter-$pkgver && ./greeter | grep -q "$pkgver"; }
package() { cd greeter-$pkgver && install -D greeter "$pkgdir/usr/bin/greeter"; }`,
  )

const greeter = (version: string): string =>
  `#include <stdio.h>\nint main(void) { puts("greeter ${version}"); return 0; }\n`

const words = header(
  'words',
  '2024',
  `source=(words.txt)
sha256sums=(SKIP)
makedepends=(tinycdb)
build() { cdb -c -m words.cdb words.txt; }
package() { install -D -m 644 words.cdb "$pkgdir/usr/share/words.cdb"; }`,
)

const broken = `\nbuild() { echo 'this recipe is broken'; false; }\n`

/** The repositories, and the mirror where releases are fetched from. */
export class Distribution {
  private constructor(
    private readonly directory: string,
    private readonly mirror: string,
    private readonly releases: string,
    private readonly recipes: GitRepo,
    private readonly program: GitRepo,
  ) {}

  /**
   * @param releases directory that the mirror serves
   * @param mirror its URL
   * @param upstream directory with tarballs as their authors released them
   */
  static async create(directory: string, releases: string, mirror: string, upstream: string): Promise<Distribution> {
    mkdirSync(releases)
    copyFileSync(join(upstream, 'tinycdb-0.78.tar.gz'), join(releases, 'tinycdb-0.78.tar.gz'))
    const make = async (name: string, files: Record<string, string>): Promise<GitRepo> => {
      for (const [path, content] of Object.entries(files)) {
        mkdirSync(join(directory, name, path, '..'), { recursive: true })
        writeFileSync(join(directory, name, path), content)
      }
      return await GitRepo.create(join(directory, name))
    }
    const recipes = await make('recipes', {
      'tinycdb/PKGBUILD': tinycdb(mirror),
      'lookup/PKGBUILD': lookupRecipe,
      'lookup/lookup.c': lookup,
    })
    const program = await make('greeter', { 'greeter.c': greeter('1.0'), 'pkg/PKGBUILD': greeterRecipe(mirror) })
    await make('lists', { aurpackages: '# packages that others keep recipes of\nphrases: needs words\n' })
    const phrases = header(
      'phrases',
      '1.0',
      `depends=(words lookup)\npackage() { install -d "$pkgdir/usr/share/phrases"; }`,
    )
    await make('aur/phrases.git', { PKGBUILD: phrases })
    await make('aur/words.git', { PKGBUILD: words, 'words.txt': 'haus house\nstrasse street\n' })
    const made = new Distribution(directory, mirror, releases, recipes, program)
    made.release('1.0')
    return made
  }

  path(name: string): string {
    return join(this.directory, name)
  }

  /** Commits a new version of the program, tags it, and puts the release on the mirror. */
  async newRelease(version: string): Promise<void> {
    this.program.write('greeter.c', greeter(version))
    await this.program.commit(`Version ${version}`)
    this.release(version)
  }

  /** A commit that breaks one recipe and mends another. */
  async breakLookup(): Promise<void> {
    this.recipes.write('lookup/PKGBUILD', lookupRecipe + broken)
    this.recipes.write('tinycdb/PKGBUILD', tinycdb(this.mirror, 2))
    await this.recipes.commit('Rebuild tinycdb, and break lookup')
  }

  async mendLookup(): Promise<void> {
    this.recipes.write('lookup/PKGBUILD', lookupRecipe)
    await this.recipes.commit('Mend lookup')
  }

  private release(version: string): void {
    const git = ['-C', this.program.directory]
    execFileSync('git', [...git, 'tag', `v${version}`])
    const file = join(this.releases, `greeter-${version}.tar.gz`)
    execFileSync('git', [...git, 'archive', `--prefix=greeter-${version}/`, `--output=${file}`, `v${version}`])
  }
}
