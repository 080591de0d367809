EAPI=8

inherit small-c

DESCRIPTION="Constant data base: library and program"
HOMEPAGE="https://www.corpit.ru/mjt/tinycdb.html"
SRC_URI="https://www.corpit.ru/mjt/tinycdb/${P}.tar.gz"

LICENSE="public-domain"
SLOT="0"
KEYWORDS="amd64"
IUSE="static-libs"

src_compile() {
	small-c_make staticlib sharedlib cdb-shared
}

src_install() {
	small-c_make prefix=/usr DESTDIR="${D}" INSTALLPROG=cdb-shared install install-sharedlib
	small-c_static
}
