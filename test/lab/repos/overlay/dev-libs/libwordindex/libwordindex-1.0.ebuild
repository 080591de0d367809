EAPI=8

inherit small-c

DESCRIPTION="Looks words up in a file, whatever their case"
HOMEPAGE="https://www.example.org/"

LICENSE="MIT"
SLOT="0"
KEYWORDS="amd64"

RDEPEND="dev-libs/tinycdb dev-libs/utf8proc"
DEPEND="${RDEPEND}"

S=${WORKDIR}

src_compile() {
	small-c_shared libwordindex.so.1 "${FILESDIR}"/wordindex.c -lcdb -lutf8proc
}

src_install() {
	dolib.so libwordindex.so.1
	dosym libwordindex.so.1 /usr/lib/libwordindex.so
	doheader "${FILESDIR}"/wordindex.h
}
