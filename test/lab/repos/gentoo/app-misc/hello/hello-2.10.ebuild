EAPI=8

DESCRIPTION="GNU's program for a greeting"
HOMEPAGE="https://www.gnu.org/software/hello/"
SRC_URI="https://ftp.gnu.org/gnu/hello/${P}.tar.gz"

LICENSE="GPL-3+"
SLOT="0"
KEYWORDS="amd64"
IUSE="nls"

src_configure() {
	econf --disable-dependency-tracking $(use_enable nls)
}
