EAPI=8

inherit small-c

DESCRIPTION="Compression library for the lzip format, with the program minilzip"
HOMEPAGE="https://www.nongnu.org/lzip/lzlib.html"
SRC_URI="https://download.savannah.gnu.org/releases/lzip/lzlib/${P}.tar.xz"

LICENSE="BSD-2"
SLOT="0"
KEYWORDS="amd64"
IUSE="static-libs"

src_configure() {
	./configure --prefix=/usr --libdir=/usr/lib --enable-shared --disable-ldconfig \
		CC="${CHOST}-gcc" CFLAGS="${CFLAGS}" || die
}

src_install() {
	emake DESTDIR="${D}" install-lib install-bin
	small-c_static
}
