EAPI=8

inherit small-c

DESCRIPTION="Unicode normalisation and case folding"
HOMEPAGE="https://juliastrings.github.io/utf8proc/"
SRC_URI="https://github.com/JuliaStrings/utf8proc/archive/v${PV}.tar.gz -> ${P}.tar.gz"

LICENSE="MIT"
SLOT="0"
KEYWORDS="amd64"
IUSE="static-libs"

src_compile() {
	small-c_make
}

src_install() {
	small-c_make prefix=/usr DESTDIR="${D}" install
	small-c_static
}
