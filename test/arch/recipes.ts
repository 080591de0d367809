/** Recipes whose packages have every field that a database can have, and files with awkward names. */

/** Epoch, pkgrel of a rebuild, text beyond ASCII, every list; setuid, links of both kinds, an install script. */
export const rich = {
  PKGBUILD: String.raw`
pkgname=fixture-rich
epoch=2
pkgver=1.0.r3+gabc
pkgrel=1.1
pkgdesc='Grüße aus   der Küche – 日本 "quoted" 100% \ & = more'
arch=(any)
url='https://example.org/?a=b&c=%20'
license=(GPL3 'custom: own words')
groups=(fixtures kitchen)
depends=('glibc>=2.0' 'sh' 'libfixture.so=3-64')
optdepends=('python: for  scripts' 'fixture-split-bin>=1: 日本')
makedepends=(gcc 'git>=1:2')
checkdepends=(python)
provides=('fixture=9:9.9' 'kitchen')
conflicts=('fixture<3' 'poor')
replaces=('fixture-old' 'fixture-older<=1')
backup=(etc/fixture.conf)
install=fixture.install
options=(emptydirs !strip)
package() {
  install -Dm644 /dev/null "$pkgdir/etc/fixture.conf"
  install -Dm644 /dev/null "$pkgdir/etc/.hidden"
  install -Dm755 /dev/null "$pkgdir/usr/bin/a b"
  install -Dm644 /dev/null "$pkgdir/usr/share/Zebra"
  install -Dm644 /dev/null "$pkgdir/usr/share/zebra"
  install -Dm644 /dev/null "$pkgdir/usr/share/Grüße 日本"
  install -Dm644 /dev/null "$pkgdir/usr/share/"$'\U1f600'
  install -Dm644 /dev/null "$pkgdir/usr/share/"$'\uffe6'
  install -Dm644 /dev/null "$pkgdir/usr/share/$(printf 'long%.0s' {1..40})/$(printf 'name%.0s' {1..40})"
  mkdir -p "$pkgdir/var/lib/fixture" "$pkgdir/usr/lib.d"
  chmod 4755 "$pkgdir/usr/bin/a b"
  ln -s /etc/fixture.conf "$pkgdir/usr/share/absolute"
  ln -s ../../../../outside "$pkgdir/usr/share/relative"
  echo text > "$pkgdir/usr/share/linked"
  ln "$pkgdir/usr/share/linked" "$pkgdir/usr/share/linked-too"
}
`,
  'fixture.install': 'post_install() { :; }\n',
}

/** A library in one package, a program that needs it in the other; the program has a plugin of its own besides. */
export const split = {
  PKGBUILD: String.raw`
pkgbase=fixture-split
pkgname=(fixture-split-bin fixture-split-libs)
pkgver=3.1
pkgrel=1
pkgdesc='two of a kind'
arch=(x86_64)
license=(MIT)
options=(!strip)
build() {
  echo 'int fixture(void) { return 3; }' > library.c
  gcc -shared -fPIC -Wl,-soname,libfixture.so.3 -o libfixture.so.3 library.c
  gcc -shared -fPIC -Wl,-soname,libplugin.so.0 -o libplugin.so library.c
  echo 'int fixture(void); int main(void) { return fixture(); }' > program.c
  gcc -o program program.c ./libfixture.so.3 -Wl,--no-as-needed ./libplugin.so -lm
}
package_fixture-split-bin() {
  depends=("fixture-split-libs=$pkgver")
  pkgdesc='the program'
  install -Dm755 program "$pkgdir/usr/bin/fixture"
  install -Dm755 libplugin.so "$pkgdir/usr/lib/fixture/libplugin.so"
}
package_fixture-split-libs() {
  provides=(libfixture.so=3-64)
  install -Dm755 libfixture.so.3 "$pkgdir/usr/lib/libfixture.so.3"
  ln -s libfixture.so.3 "$pkgdir/usr/lib/libfixture.so"
  ln "$pkgdir/usr/lib/libfixture.so.3" "$pkgdir/usr/lib/libfixture-hard.so"
  # symbols for debuggers keep the headers of what they were taken from
  install -Dm644 libplugin.so "$pkgdir/usr/lib/debug/usr/lib/libplugin.so.debug"
}
`,
}

/** Nothing in it: no description, no files. */
export const meta = {
  PKGBUILD: `
pkgname=fixture-meta
pkgver=20210527
pkgrel=1
arch=(any)
depends=(fixture-rich)
package() { :; }
`,
}
