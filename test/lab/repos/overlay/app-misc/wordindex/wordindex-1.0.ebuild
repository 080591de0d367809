EAPI=8

inherit small-c

DESCRIPTION="Makes and reads word indexes"
HOMEPAGE="https://www.example.org/"

LICENSE="MIT"
SLOT="0"
KEYWORDS="amd64"

RDEPEND="dev-libs/libwordindex"
DEPEND="${RDEPEND}"

S=${WORKDIR}

src_compile() {
	small-c_program wordindex "${FILESDIR}"/wordindex-${PV}.c -lwordindex
}

src_install() {
	dobin wordindex
}
